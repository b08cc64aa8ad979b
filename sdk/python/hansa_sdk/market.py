"""The market an agent buys from: narrow the terms, look at the offers. Buying itself is a call of the imported interface.

The world needs `import hansa:market/terms@0.1.0;` for `narrow` and `import hansa:market/offers@0.1.0;` for `offers`.

>>> from hansa_sdk import market, testing
>>> seen = testing.Terms(offers=[testing.offer("did:key:zA", price_max=40), testing.offer("did:key:zB", price_max=90)])
>>> with testing.world(seen.bindings):
...     market.narrow("commons:embedding/embedder@0.1.0", max_price=50, prefer="fastest")
...     print([offer.price_max for offer in market.offers("commons:embedding/embedder@0.1.0", "embed")])
[40, 90]
>>> seen.narrowed[0].max_price
50
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import List, Optional

from hansa_sdk import fault
from hansa_sdk._bindings import find

_terms = find("hansa:market/terms@0.1.0", ("narrow",))
_offers = find("hansa:market/offers@0.1.0", ("search",))
_types = find("hansa:market/types@0.1.0", ("Limits", "Prefer"))


@dataclass(frozen=True)
class Offer:
    """What one seller asks."""

    seller: str
    """The selling agent's key, `did:key:…`."""
    package: str
    """Its package, `publisher/name@version`."""
    node: str
    """The node it runs on."""
    price_max: int
    """The most that one call of the function can cost, in millionths of a credit."""
    latency_ms: Optional[int]
    """Median of this buyer's own calls; none before the first."""


def narrow(
    service: str,
    *,
    max_price: Optional[int] = None,
    deadline_ms: Optional[int] = None,
    prefer: Optional[str] = None,
    sellers: Optional[List[str]] = None,
) -> None:
    """Narrow the terms for the purchases of `service` that follow in this call; what is left out stays as `agent.toml` says.

    `max_price` in millionths of a credit; `prefer`: `cheapest` or `fastest`; `sellers`: agents' keys. Raises the fault `failed` where
    `service` is no import of this component, or the limits are wider than `agent.toml` allows.
    """
    if prefer not in (None, "cheapest", "fastest"):
        raise ValueError(f"`prefer` is `{prefer}`; say `cheapest` or `fastest`")
    wanted = None if prefer is None else getattr(_types.Prefer, prefer.upper())
    try:
        _terms.narrow(service, _types.Limits(max_price, deadline_ms, wanted, sellers))
    except fault.Err as error:
        raise fault.failed(f"could not narrow the terms for `{service}`: {fault.reason(error)}") from None


def offers(service: str, function: str) -> List[Offer]:
    """Offers that satisfy the present terms for `function` of `service`, best first.

    Raises the fault `failed` where `service` is no import of this component, or the market cannot be seen.
    """
    try:
        found = _offers.search(service, function)
    except fault.Err as error:
        raise fault.failed(f"could not look at the offers for `{service}`: {fault.reason(error)}") from None
    return [Offer(offer.seller, offer.package, offer.node, offer.price_max, offer.latency_ms) for offer in found]
