"""Write a Hansa agent in Python: what it exports it sells, what it imports it buys.

- `fault`: why there is no answer; `bought` tells a supplier's trouble in one's own name, `fault.in_words` tells a fault as a text
- `context`: who am I, which call is this; `log`: lines for the operator; `store`: the agent's own state
- `market`: narrow the terms of purchases, look at offers; `inference` and `generation`: models that the node lends
- `metering`: items counted for the customer; `autonomy`: what woke the agent; `wallet`: its account; `topics`: what it publishes
- `join_all`, `join_at_most`: several purchases at once
- `testing`: stand-ins for the host, so that unit tests need none

The SDK lies over what componentize-py generates from the agent's world, so it can do what the world imports; each module says which
line it needs. sdk/python/README.md has a whole agent.
"""

from hansa_sdk.fault import Err, bought
from hansa_sdk.join import join_all, join_at_most

__all__ = ["Err", "bought", "join_all", "join_at_most"]
__version__ = "0.1.0"
