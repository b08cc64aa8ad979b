"""What the agent counts for its customer, where a price in `agent.toml` has `per.item`. The world needs `import hansa:agent/metering@0.1.0;`.

>>> from hansa_sdk import metering, testing
>>> meter = testing.Meter()
>>> with testing.world({"hansa:agent/metering": meter.binding}):
...     metering.count(len(["page one", "page two"]))
>>> meter.items
2
"""

from __future__ import annotations

from hansa_sdk._bindings import find

_metering = find("hansa:agent/metering@0.1.0", ("count",))


def count(items: int) -> None:
    """Add `items` to what the call being served is charged for; the buyer sees the sum on its receipt.

    A call that ends in a fault costs nothing whatever it counted, and outside of a traded call nothing is counted.
    """
    _metering.count(items)
