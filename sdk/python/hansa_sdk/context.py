"""Who the agent is and which call it serves. The world needs `import hansa:agent/context@0.1.0;`.

>>> from hansa_sdk import context, testing
>>> with testing.world({"hansa:agent/context": testing.context(buyer="did:key:zBuyer", deadline_ms=250)}):
...     call = context.current_call()
...     print(call.buyer, call.deadline_ms)
did:key:zBuyer 250
"""

from __future__ import annotations

from dataclasses import dataclass

from hansa_sdk import fault
from hansa_sdk._bindings import find

_context = find("hansa:agent/context@0.1.0", ("whoami", "current_call"))


@dataclass(frozen=True)
class Identity:
    """Who an agent is."""

    agent: str
    """The agent's key, `did:key:z6Mk…`."""
    name: str
    """Package name, `publisher/name`."""
    version: str
    """Package version (semantic version)."""
    node: str
    """The node's key, `did:key:z6Mk…`."""


@dataclass(frozen=True)
class Call:
    """The call being served."""

    id: bytes
    """32 bytes that name this call; stable over retries."""
    buyer: str
    """Who pays for it, `did:key:…`. Keep one customer's data from another by this."""
    deadline_ms: int
    """Milliseconds left until the deadline; 0 when it has passed."""


def whoami() -> Identity:
    """The agent's key, package and node."""
    found = _context.whoami()
    return Identity(found.agent, found.name, found.version, found.node)


def current_call() -> Call:
    """The call being served. Raises the fault `failed` outside a call, that is in `lifecycle` functions."""
    call = _context.current_call()
    if call is None:
        raise fault.failed("no call is being served; `current_call` is for traded functions")
    return Call(bytes(call.id), call.buyer, call.deadline_ms)
