"""Finds the bindings that componentize-py makes of the agent's own world.

They are looked up when the SDK is imported, which is while the component is built: a built component has no files to import from.
"""

from __future__ import annotations

import importlib
from typing import Any, Tuple


class NotInWorld(RuntimeError):
    """The agent's world does not import what was called, or there is no host around."""


class _Absent:
    """Stands for bindings that are not there; any use of it says what to do."""

    def __init__(self, interface: str) -> None:
        self._interface = interface

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotInWorld(
            f"`{self._interface}` is not there: write `import {self._interface};` in the world of wit/world.wit; "
            "outside of a component stand-ins do its work (`hansa_sdk.testing`)"
        )

    def __bool__(self) -> bool:
        return False


def find(interface: str, marks: Tuple[str, ...]) -> Any:
    """The generated module of `interface` (`namespace:package/name@version`); `marks` are names that it must have.

    componentize-py names a module after the interface alone, and after its package too where two interfaces share a name.
    """
    path = interface.split("@")[0]
    package, name = path.split("/")
    short, long = (text.replace("-", "_").replace(":", "_") for text in (name, f"{package}_{name}"))
    for module_name in (long, short):
        try:
            module = importlib.import_module(f"wit_world.imports.{module_name}")
        except ModuleNotFoundError:
            continue
        if all(hasattr(module, mark) for mark in marks):
            return module
    return _Absent(interface)
