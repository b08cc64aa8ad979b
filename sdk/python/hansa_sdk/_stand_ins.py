"""What componentize-py generates for faults, for use outside of a component: in unit tests, with the same names and fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Err(Exception):
    """The failure of a WIT `result`; its `value` says what went wrong."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


@dataclass
class _Case:
    value: str


class Fault_NoOffer(_Case):
    """Nobody sells this under the buyer's terms."""


class Fault_OverBudget(_Case):
    """Beyond the buyer's limit."""


class Fault_Deadline(_Case):
    """No answer before the deadline."""


class Fault_Unavailable(_Case):
    """The seller did not run the call."""


class Fault_SellerFailed(_Case):
    """The seller ran the call and broke."""


class Fault_Refused(_Case):
    """Declined."""


class Fault_InvalidInput(_Case):
    """These arguments cannot be served."""


class Fault_Failed(_Case):
    """Anything else."""
