"""The agent's own state on its node: bytes under keys, kept over calls and restarts.

The world needs `import wasi:keyvalue/store@0.2.0-draft2;`, and `agent.toml` asks for `keyvalue.bytes-max`. Writes of one call are seen
by the next; two calls that run at once can overwrite each other's values, so read a value again just before writing what was made from it.

>>> from hansa_sdk import store, testing
>>> with testing.world({"wasi:keyvalue/store": testing.store()}):
...     with store.open() as shelf:
...         shelf.set_text("notes/1", "buy more")
...         shelf.set_number("count", 7)
...         print(shelf.get_text("notes/1"), shelf.get_number("count"), shelf.list("notes/"), shelf.get("notes/2"))
buy more 7 ['notes/1'] None
"""

from __future__ import annotations

import builtins
from typing import Any, Callable, List, Optional, TypeVar

from hansa_sdk import fault
from hansa_sdk._bindings import find

_store = find("wasi:keyvalue/store@0.2.0-draft2", ("Bucket", "open"))
T = TypeVar("T")


class Bucket:
    """The agent's store. What goes wrong is raised as the fault `failed`. Close it, or use it in a `with`."""

    def __init__(self, bucket: Any) -> None:
        self._bucket = bucket

    def __enter__(self) -> "Bucket":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the handle back. The end of the call does so too."""
        self._bucket.__exit__(None, None, None)

    def get(self, key: str) -> Optional[bytes]:
        """The value under `key`, if there is one."""
        value = _told(lambda: self._bucket.get(key))
        return None if value is None else bytes(value)

    def set(self, key: str, value: bytes) -> None:
        """Put `value` under `key`, in place of what was there. Fails where `keyvalue.bytes-max` is used up."""
        _told(lambda: self._bucket.set(key, value))

    def delete(self, key: str) -> None:
        """Take away the value under `key`; nothing happens where there is none."""
        _told(lambda: self._bucket.delete(key))

    def exists(self, key: str) -> bool:
        """Is there a value under `key`?"""
        return bool(_told(lambda: self._bucket.exists(key)))

    def list(self, prefix: str = "") -> List[str]:
        """All keys that begin with `prefix`. Walks over every key of the agent."""
        keys: builtins.list[str] = []
        cursor: Optional[str] = None
        while True:
            page = _told(lambda: self._bucket.list_keys(cursor))
            keys.extend(key for key in page.keys if key.startswith(prefix))
            cursor = page.cursor
            if cursor is None:
                return keys

    def get_text(self, key: str) -> Optional[str]:
        """The value under `key` as text. Fails where it is not UTF-8."""
        value = self.get(key)
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            raise fault.failed(f"the agent's store failed: the value under `{key}` is not UTF-8 text") from None

    def set_text(self, key: str, value: str) -> None:
        """Put text under `key`."""
        self.set(key, value.encode())

    def get_number(self, key: str) -> Optional[int]:
        """The number under `key`, as `set_number` wrote it."""
        value = self.get(key)
        if value is not None and len(value) != 8:
            raise fault.failed(f"the agent's store failed: the value under `{key}` is not a number")
        return None if value is None else int.from_bytes(value, "little")

    def set_number(self, key: str, value: int) -> None:
        """Put a number from 0 to 2**64 - 1 under `key`, little-endian in 8 bytes, as the Rust SDK does."""
        self.set(key, value.to_bytes(8, "little"))


def open() -> Bucket:  # the name that the contract gives it
    """Open the agent's store; the only one it has."""
    return Bucket(_told(lambda: _store.open("")))


def _told(work: Callable[[], T]) -> T:
    try:
        return work()
    except fault.Err as error:
        raise fault.failed(explain(error)) from None


def explain(error: fault.Err) -> str:
    """What went wrong in the store, in words for the agent's author."""
    case = type(error.value).__name__
    if case.endswith("NoSuchStore"):
        return "the agent has no such store; open the default one"
    if case.endswith("AccessDenied"):
        return "the agent's store may not be used; ask for `keyvalue.bytes-max` in agent.toml"
    return f"the agent's store failed: {fault.reason(error)}"
