"""Topics on the bus: whoever follows one hears what is published while it listens.

The world needs `import hansa:agent/topics@0.1.0;`, and `agent.toml` asks for `topics.publish`.

>>> from hansa_sdk import testing, topics
>>> bus = testing.Topics()
>>> with testing.world({"hansa:agent/topics": bus.binding}):
...     topics.publish("acme.prices", "wheat 2.10".encode())
>>> bus.published
[('acme.prices', b'wheat 2.10')]
"""

from __future__ import annotations

from hansa_sdk import fault
from hansa_sdk._bindings import find

_topics = find("hansa:agent/topics@0.1.0", ("publish",))


def publish(topic: str, payload: bytes) -> None:
    """Publish at most 256 KiB on `topic`, words joined by dots.

    Raises the fault `failed`: the topic is not granted, or the bus cannot be reached.
    """
    try:
        _topics.publish(topic, payload)
    except fault.Err as error:
        raise fault.failed(f"could not publish on `{topic}`: {fault.reason(error)}") from None
