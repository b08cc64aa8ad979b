"""The agent's own account, within the limit that `wallet.spend-per-day` of `agent.toml` sets. Purchases count, and bills do.

The world needs `import hansa:wallet/wallet@0.1.0;`. Amounts are millionths of a credit.

>>> from hansa_sdk import testing, wallet
>>> account = testing.Wallet(available=900, left_today=100)
>>> with testing.world({"hansa:wallet/wallet": account.binding}):
...     wallet.pay("5f3a", 40)
...     print(wallet.look().left_today)
60
>>> account.paid
[('5f3a', 40)]
"""

from __future__ import annotations

from dataclasses import dataclass

from hansa_sdk import fault
from hansa_sdk._bindings import find

_wallet = find("hansa:wallet/wallet@0.1.0", ("look", "pay"))


@dataclass(frozen=True)
class Funds:
    """What the account has, in millionths of a credit."""

    available: int
    """What it can spend now; deposits in channels are not in it."""
    spent_today: int
    """Spent since midnight UTC: purchases, and bills paid."""
    left_today: int
    """What may still be spent until midnight UTC."""


def look() -> Funds:
    """What the account has, and what may be spent until midnight UTC. Raises the fault `failed` where the ledger cannot be asked."""
    try:
        found = _wallet.look()
    except fault.Err as error:
        raise fault.failed(f"could not look at the wallet: {fault.reason(error)}") from None
    return Funds(found.available, found.spent_today, found.left_today)


def pay(account: str, amount: int) -> None:
    """Pay `amount` to `account`, the id that `hansa account show` prints. Raises the fault `failed`: not done, and why; the money stays."""
    try:
        _wallet.pay(account, amount)
    except fault.Err as error:
        raise fault.failed(f"could not pay: {fault.reason(error)}") from None
