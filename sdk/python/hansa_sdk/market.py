"""The market an agent buys from: narrow the terms, look at the offers, let sellers bid. Buying itself is a call of the imported interface.

The world needs `import hansa:market/terms@0.1.0;` for `narrow`, `import hansa:market/offers@0.1.0;` for `offers` and
`import hansa:market/tenders@0.1.0;` for `tender`.

>>> from hansa_sdk import market, testing
>>> seen = testing.Terms(offers=[testing.offer("did:key:zA", price_max=40), testing.offer("did:key:zB", price_max=90)])
>>> with testing.world(seen.bindings):
...     market.narrow("commons:embedding/embedder@0.1.0", max_price=50, prefer="fastest")
...     print([offer.price_max for offer in market.offers("commons:embedding/embedder@0.1.0", "embed")])
[40, 90]
>>> seen.narrowed[0].max_price
50

`tender` lets all sellers bid; calling the import with the same arguments then buys by the best bid:

>>> bidding = testing.Terms(bids=[testing.bid("did:key:zB", price=30), testing.bid("did:key:zA", out="no bid before the deadline")])
>>> with testing.world(bidding.bindings):
...     best, *others = market.tender("commons:embedding/embedder@0.1.0", "embed", [["good day"]], wait_ms=500)
>>> best.price, [bid.out for bid in others]
(30, ['no bid before the deadline'])
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, List, Optional

from hansa_sdk import fault
from hansa_sdk._bindings import find

_terms = find("hansa:market/terms@0.1.0", ("narrow",))
_offers = find("hansa:market/offers@0.1.0", ("search",))
_tenders = find("hansa:market/tenders@0.1.0", ("open",))
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


@dataclass(frozen=True)
class Bid:
    """One seller in a tender."""

    seller: str
    """The selling agent's key, `did:key:…`."""
    package: str
    """Its package, `publisher/name@version`."""
    node: str
    """The node it runs on."""
    price: Optional[int]
    """The most that the call costs there, in millionths of a credit; none where the bid does not count."""
    out: Optional[str]
    """Why it does not count; none where it does."""


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


def tender(service: str, function: str, arguments: Any, *, wait_ms: int = 1000) -> List[Bid]:
    """Let all sellers that the present terms allow bid for `function` of `service` with these `arguments`, and wait so long (50 to 10,000).

    `arguments`: a list, or a dict by parameter, in the published mapping of WIT values to JSON (bytes are base64, 64-bit integers decimal
    strings). Nobody can read a bid before the time is over. Bids that count come first, best first; calling the import with the same
    arguments then buys by these bids, from the best on, for half a minute. That nobody bids is no error. Raises the fault `failed` where
    `service` is no import of this component, nobody sells it, or the arguments do not fit.
    """
    try:
        found = _tenders.open(service, function, json.dumps(arguments), wait_ms)
    except fault.Err as error:
        raise fault.failed(f"could not put `{function}` of `{service}` out to tender: {fault.reason(error)}") from None
    return [Bid(bid.seller, bid.package, bid.node, bid.price, bid.out) for bid in found]
