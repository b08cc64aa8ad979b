"""Stand-ins for the host, so that unit tests need none.

Test pure parts without any of this: let them take what was bought as an argument. Where a part calls the SDK, `world` puts a stand-in
in place of an interface for as long as a `with` lasts:

>>> from hansa_sdk import log, testing
>>> lines = testing.Log()
>>> with testing.world({"hansa:agent/log": lines.binding}):
...     log.info("bought 3 vectors")
>>> lines.lines
[('info', 'bought 3 vectors')]

Stand-ins hold to the contracts as far as the SDK uses them. They know no prices, limits or deadlines: what those do is seen on a node.
`src/component.py` itself imports generated code and is not meant to be loaded here.
"""

from __future__ import annotations

import contextlib
import enum
from types import SimpleNamespace
from typing import Any, Dict, Iterator, List, Optional, Tuple

from hansa_sdk import _stand_ins, autonomy as _autonomy, context as _context, fault, generation as _generation, inference as _inference
from hansa_sdk import log as _log, market as _market, metering as _metering, store as _store, topics as _topics, wallet as _wallet

_PLACES: Dict[str, List[Tuple[Any, str]]] = {
    "hansa:agent/context": [(_context, "_context")],
    "hansa:agent/log": [(_log, "_log")],
    "hansa:agent/metering": [(_metering, "_metering")],
    "hansa:agent/topics": [(_topics, "_topics")],
    "hansa:inference/generate": [(_generation, "_generate")],
    "hansa:inference/generation-types": [(_generation, "_types")],
    "hansa:inference/models": [(_inference, "_models")],
    "hansa:inference/text": [(_inference, "_text")],
    "hansa:inference/types": [(_inference, "_types"), (_generation, "_inference")],
    "hansa:market/offers": [(_market, "_offers")],
    "hansa:market/tenders": [(_market, "_tenders")],
    "hansa:market/terms": [(_market, "_terms")],
    "hansa:market/types": [(_market, "_types")],
    "hansa:wallet/wallet": [(_wallet, "_wallet")],
    "wasi:keyvalue/store": [(_store, "_store")],
}


@contextlib.contextmanager
def world(bindings: Dict[str, Any]) -> Iterator[None]:
    """Let the SDK use `bindings`, each under the name of its interface without a version; what was there comes back after."""
    unknown = set(bindings) - set(_PLACES)
    if unknown:
        raise KeyError(f"`{min(unknown)}` is no interface of the SDK; choose from {', '.join(_PLACES)}")
    before = [(module, name, getattr(module, name)) for places in _PLACES.values() for module, name in places]
    for interface, binding in bindings.items():
        for module, name in _PLACES[interface]:
            setattr(module, name, binding)
    try:
        yield
    finally:
        for module, name, binding in before:
            setattr(module, name, binding)


class raises:
    """Expect a fault of `kind` whose reason holds `part`.

    >>> with raises("invalid-input", "`text` is empty"):
    ...     raise fault.invalid_input("`text` is empty; send something")
    """

    def __init__(self, kind: str, part: str = "") -> None:
        if kind not in fault.KINDS:
            raise ValueError(f"`{kind}` is no kind of fault; choose from {', '.join(fault.KINDS)}")
        self._kind, self._part = kind, part

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: Optional[BaseException], __: object) -> bool:
        if error is None:
            raise AssertionError(f"no fault was raised; `{self._kind}` was expected")
        if not isinstance(error, fault.Err):
            return False
        if fault.kind(error) != self._kind or self._part not in fault.reason(error):
            raise AssertionError(f"`{self._kind}` with `{self._part}` was expected, not {fault.explain(error)}")
        return True


def context(buyer: str = "did:key:zBuyer", deadline_ms: int = 1000, call: bool = True) -> Any:
    """A `hansa:agent/context` that serves one call, or with `call=False` none."""
    identity = _context.Identity("did:key:zAgent", "acme/agent", "0.1.0", "did:key:zNode")
    served = _context.Call(bytes(32), buyer, deadline_ms) if call else None
    return SimpleNamespace(whoami=lambda: identity, current_call=lambda: served)


class Log:
    """Keeps what is logged in `lines`, as (level, message); `binding` is its `hansa:agent/log`."""

    def __init__(self) -> None:
        self.lines: List[Tuple[str, str]] = []
        self.binding = SimpleNamespace(
            Level=enum.Enum("Level", ["DEBUG", "INFO", "WARN", "ERROR"]),
            log=lambda level, message: self.lines.append((level.name.lower(), message)),
        )


class Meter:
    """Adds up what is counted in `items`; `binding` is its `hansa:agent/metering`."""

    def __init__(self) -> None:
        self.items = 0
        self.binding = SimpleNamespace(count=self._count)

    def _count(self, items: int) -> None:
        self.items += items


class Topics:
    """Keeps what is published in `published`, as (topic, payload); `binding` is its `hansa:agent/topics`, which grants every topic."""

    def __init__(self) -> None:
        self.published: List[Tuple[str, bytes]] = []
        self.binding = SimpleNamespace(publish=lambda topic, payload: self.published.append((topic, bytes(payload))))


class Wallet:
    """An account with `available` millionths of a credit, of which `left_today` may be spent; bills are in `paid`, as (account, amount).

    `binding` is its `hansa:wallet/wallet`.
    """

    def __init__(self, available: int = 1_000_000, left_today: int = 1_000_000) -> None:
        self.paid: List[Tuple[str, int]] = []
        self._available, self._left_today, self._spent_today = available, left_today, 0
        self.binding = SimpleNamespace(look=self._look, pay=self._pay)

    def _look(self) -> Any:
        return SimpleNamespace(available=self._available, spent_today=self._spent_today, left_today=self._left_today)

    def _pay(self, account: str, amount: int) -> None:
        if amount > min(self._available, self._left_today):
            raise err(f"{amount} are more than the account and its daily limit leave")
        self._available, self._left_today, self._spent_today = self._available - amount, self._left_today - amount, self._spent_today + amount
        self.paid.append((account, amount))


def trigger(kind: str, value: Any = None, *, topic: str = "", payload: bytes = b"") -> Any:
    """What `wake` is called with: `start`; `time` and `balance` with their `value`; `topic` with `topic` and `payload`."""
    if kind not in _autonomy.KINDS:
        raise ValueError(f"`{kind}` is no kind of waking; choose from {', '.join(_autonomy.KINDS)}")
    value = SimpleNamespace(topic=topic, payload=payload) if kind == "topic" else value
    return type(f"Trigger_{kind.capitalize()}", (), {"value": value})()


def store(values: Optional[Dict[str, bytes]] = None, page: int = 2) -> Any:
    """A `wasi:keyvalue/store` over `values`, which shows afterwards what was written. Lists `page` keys at a time."""
    kept: Dict[str, bytes] = {} if values is None else values

    class Bucket:
        def get(self, key: str) -> Optional[bytes]:
            return kept.get(key)

        def set(self, key: str, value: bytes) -> None:
            kept[key] = bytes(value)

        def delete(self, key: str) -> None:
            kept.pop(key, None)

        def exists(self, key: str) -> bool:
            return key in kept

        def list_keys(self, cursor: Optional[str]) -> Any:
            keys = [key for key in sorted(kept) if cursor is None or key > cursor]
            return SimpleNamespace(keys=keys[:page], cursor=keys[page - 1] if len(keys) > page else None)

        def __exit__(self, *_: object) -> None:
            return None

    return SimpleNamespace(Bucket=Bucket, open=lambda _: Bucket())


def offer(seller: str, price_max: int, package: str = "acme/seller@0.1.0", node: str = "north", latency_ms: Optional[int] = None) -> Any:
    """An offer as `hansa:market/offers` gives it."""
    return SimpleNamespace(seller=seller, package=package, node=node, price_max=price_max, latency_ms=latency_ms)


def bid(seller: str, price: Optional[int] = None, out: Optional[str] = None, package: str = "acme/seller@0.1.0", node: str = "north") -> Any:
    """A bid as `hansa:market/tenders` gives it."""
    return SimpleNamespace(seller=seller, package=package, node=node, price=price, out=out)


class Terms:
    """A market with `offers` and `bids`; `narrowed` keeps the limits that were set, `tendered` what was put out; `bindings` are its interfaces."""

    def __init__(self, offers: Optional[List[Any]] = None, bids: Optional[List[Any]] = None) -> None:
        self.narrowed: List[Any] = []
        self.tendered: List[Any] = []

        def open(*tender: Any) -> List[Any]:
            self.tendered.append(tender)
            return list(bids or [])

        def limits(max_price: Any, deadline_ms: Any, prefer: Any, sellers: Any) -> Any:
            return SimpleNamespace(max_price=max_price, deadline_ms=deadline_ms, prefer=prefer, sellers=sellers)

        self.bindings = {
            "hansa:market/types": SimpleNamespace(Limits=limits, Prefer=enum.Enum("Prefer", ["CHEAPEST", "FASTEST"])),
            "hansa:market/terms": SimpleNamespace(narrow=lambda _, limits: self.narrowed.append(limits)),
            "hansa:market/offers": SimpleNamespace(search=lambda _, __: list(offers or [])),
            "hansa:market/tenders": SimpleNamespace(open=open),
        }


def generates(*texts: str, finish: str = "stop", error: Any = None) -> Dict[str, Any]:
    """Interfaces of a node whose model writes `texts`, one chunk each, and then ends with `finish`, or breaks with `error`."""
    usage = SimpleNamespace(input_units=1, output_units=len(texts), cost=len(texts))
    chunks = [("Event_Chunk", SimpleNamespace(text=text, tokens=[0], so_far=usage)) for text in texts]
    end = ("Event_Done", SimpleNamespace(finish=SimpleNamespace(name=finish.upper()))) if error is None else ("Event_Error", error)
    events = iter([type(case, (), {"value": value})() for case, value in [*chunks, end]])
    running = SimpleNamespace(next=lambda: next(events, None), cancel=lambda: None, usage=lambda: usage, __exit__=lambda *_: None)
    tuples: Any = lambda *fields: fields  # noqa: E731  (a record without names is enough for what is thrown away)
    types = SimpleNamespace(Sampling=tuples, Prompt_Text=tuples, Prompt_Chat=tuples, Prompt_Tokens=tuples, Message=tuples,
                            Role=enum.Enum("Role", ["SYSTEM", "USER", "ASSISTANT", "TOOL"]))
    return {
        "hansa:inference/types": SimpleNamespace(Opts=tuples),
        "hansa:inference/generation-types": types,
        "hansa:inference/generate": SimpleNamespace(start=lambda *_: running),
    }


def err(value: Any) -> fault.Err:
    """The failure of a WIT `result` outside of the market, for stand-ins that fail: `err("no such import")`."""
    return fault.Err(value) if fault.Err is not _stand_ins.Err else _stand_ins.Err(value)
