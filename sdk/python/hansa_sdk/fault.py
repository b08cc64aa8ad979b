"""The error of every traded function: say why there is no answer, and read why a purchase gave none.

A traded function returns `result<…, fault>`. In Python it returns the answer, or raises a fault:

>>> from hansa_sdk import fault
>>> def halve(number):
...     if number % 2:
...         raise fault.invalid_input(f"`number` is `{number}`; send an even one")
...     return number // 2
>>> halve(8)
4
>>> try:
...     halve(7)
... except fault.Err as error:
...     print(fault.kind(error), "|", fault.explain(error))
invalid-input | invalid input: `number` is `7`; send an even one

A fault is an `Err` of the generated code, which takes exactly this class: a subclass, or any other exception that leaves a traded
function, ends the instance. The customer then reads `seller-failed`, and `hansa agent logs` shows the traceback.
"""

from __future__ import annotations

from types import TracebackType
from typing import Dict, NamedTuple, Optional, Type

from hansa_sdk import _stand_ins
from hansa_sdk._bindings import find

try:
    from componentize_py_types import Err
except ModuleNotFoundError:  # no component around
    from hansa_sdk._stand_ins import Err  # type: ignore[assignment]

_types = find("hansa:service/types@0.1.0", ("Fault_NoOffer", "Fault_Failed")) or _stand_ins


class _Case(NamedTuple):
    kind: str
    words: str
    make: type


_CASES: Dict[str, _Case] = {
    case.kind: case
    for case in (
        _Case("no-offer", "no offer", _types.Fault_NoOffer),
        _Case("over-budget", "over budget", _types.Fault_OverBudget),
        _Case("deadline", "deadline passed", _types.Fault_Deadline),
        _Case("unavailable", "unavailable", _types.Fault_Unavailable),
        _Case("seller-failed", "seller failed", _types.Fault_SellerFailed),
        _Case("refused", "refused", _types.Fault_Refused),
        _Case("invalid-input", "invalid input", _types.Fault_InvalidInput),
        _Case("failed", "failed", _types.Fault_Failed),
    )
}
KINDS = tuple(_CASES)
"""All kinds of faults, as the contract names them."""


def of(kind: str, reason: str) -> Err:
    """A fault of `kind`, one of `KINDS`. The functions below are shorter."""
    return Err(_CASES[kind].make(reason))


def invalid_input(reason: str) -> Err:
    """The seller's own: these arguments cannot be served. Say what was offending and what to send instead."""
    return of("invalid-input", reason)


def failed(reason: str) -> Err:
    """The seller's own: anything else that kept it from answering."""
    return of("failed", reason)


def refused(reason: str) -> Err:
    """The seller declines; trying again will not help."""
    return of("refused", reason)


def unavailable(reason: str) -> Err:
    """The seller is full and did no work; the call may be sent to another."""
    return of("unavailable", reason)


def no_offer(reason: str) -> Err:
    """The market's: nobody sells it under the buyer's terms. For stand-ins of suppliers in tests."""
    return of("no-offer", reason)


def over_budget(reason: str) -> Err:
    """The market's: beyond the buyer's limit. For stand-ins of suppliers in tests."""
    return of("over-budget", reason)


def deadline(reason: str) -> Err:
    """No answer before the deadline."""
    return of("deadline", reason)


def seller_failed(reason: str) -> Err:
    """The market's: the seller broke. For stand-ins of suppliers in tests."""
    return of("seller-failed", reason)


def kind(error: Err) -> str:
    """Which of `KINDS` it is; `other` for an `Err` that is no fault.

    >>> kind(unavailable("32 calls are running"))
    'unavailable'
    """
    return next((case.kind for case in _CASES.values() if type(error.value) is case.make), "other")


def reason(error: Err) -> str:
    """The reason, without its kind.

    >>> reason(unavailable("32 calls are running"))
    '32 calls are running'
    """
    return str(getattr(error.value, "value", error.value))


def explain(error: Err) -> str:
    """Kind and reason in words.

    >>> explain(of("deadline", "after 500 ms"))
    'deadline passed: after 500 ms'
    """
    words = _CASES[kind(error)].words if kind(error) in _CASES else "failed"
    return f"{words}: {reason(error)}"


class bought:
    """Tells a supplier's fault in the seller's own name. `what` names the purchase.

    Passed on as it is, a supplier's `no-offer` or `invalid-input` would tell the customer something untrue about *its* call. Said in
    the seller's name it is `failed`, with the cause; only `deadline` stays what it is.

    >>> try:
    ...     with bought("a summary"):
    ...         raise no_offer("nobody sells it")
    ... except Err as error:
    ...     print(explain(error))
    failed: could not buy a summary: no offer: nobody sells it
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Optional[Type[BaseException]], error: Optional[BaseException], __: Optional[TracebackType]) -> None:
        if not isinstance(error, Err) or kind(error) == "other":
            return
        if kind(error) == "deadline":
            raise deadline(f"buying {self._what}: {reason(error)}") from None
        raise failed(f"could not buy {self._what}: {explain(error)}") from None


class in_words:
    """Tells a fault as a text, which is what functions that are not sold fail with: those of `lifecycle`, `autonomy` and `pricing`.

    An error that is a text already, `Err("granite is too hard")`, stays as it is.

    >>> try:
    ...     with in_words():
    ...         raise no_offer("nobody sells it")
    ... except Err as error:
    ...     print(error.value)
    no offer: nobody sells it
    """

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: Optional[Type[BaseException]], error: Optional[BaseException], __: Optional[TracebackType]) -> None:
        if isinstance(error, Err) and kind(error) != "other":
            raise Err(explain(error)) from None
