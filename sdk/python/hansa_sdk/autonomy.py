"""Waking up by itself, when `[runs]` of `agent.toml` says. The world needs `export hansa:agent/autonomy@0.1.0;`.

The component has a class for it, whose one function is called for each waking:

    class Autonomy(exports.Autonomy):
        async def wake(self, why):
            with fault.in_words():
                await report(autonomy.cause(why))

Nobody pays for a waking: what it buys comes from the agent's own account (`hansa_sdk.wallet`).

>>> from hansa_sdk import autonomy, testing
>>> autonomy.cause(testing.trigger("topic", topic="news.ships", payload=b"arrived"))
Cause(kind='topic', time=None, topic='news.ships', payload=b'arrived', balance=None)
>>> str(autonomy.cause(testing.trigger("balance", 5)))
'balance 5'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

KINDS = ("start", "time", "topic", "balance")
"""All kinds of wakings, as the contract names them."""


@dataclass(frozen=True)
class Cause:
    """What woke the agent. `str` tells it in a few words, without the payload."""

    kind: str
    """One of `KINDS`."""
    time: Optional[str] = None
    """Of `time`: what `every` or `cron` says, for example `every 600 s`."""
    topic: Optional[str] = None
    """Of `topic`: on which it was published."""
    payload: Optional[bytes] = None
    """Of `topic`: what was published. A stranger's word: check it before using it."""
    balance: Optional[int] = None
    """Of `balance`: what the account can still spend, in millionths of a credit."""

    def __str__(self) -> str:
        more = next((value for value in (self.time, self.topic, self.balance) if value is not None), "")
        return f"{self.kind} {more}".rstrip()


def cause(why: Any) -> Cause:
    """What the `trigger` of the contract says, which `wake` is called with."""
    kind = type(why).__name__.rpartition("_")[2].lower()
    if kind == "topic":
        return Cause(kind, topic=why.value.topic, payload=bytes(why.value.payload))
    if kind in ("time", "balance"):
        return Cause(kind, **{kind: why.value})
    if kind == "start":
        return Cause(kind)
    raise ValueError(f"`{kind}` is no kind of waking that this SDK knows; there are {', '.join(KINDS)}")
