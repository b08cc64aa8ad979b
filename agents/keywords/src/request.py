"""What a customer may send."""

from hansa_sdk import fault
from limits import COUNT_MAX, TEXT_BYTES_MAX


def check(text: str, count: int) -> None:
    """Raise `invalid-input` that names the first limit broken."""
    if not 1 <= count <= COUNT_MAX:
        raise fault.invalid_input(f"`count` is `{count}`; ask for 1 to {COUNT_MAX} keyphrases")
    length = len(text.encode())
    if length > TEXT_BYTES_MAX:
        raise fault.invalid_input(f"`text` has `{length}` bytes; send at most {TEXT_BYTES_MAX}, part by part if need be")
    if not text.strip():
        raise fault.invalid_input("`text` is empty; send something to find keyphrases in")
