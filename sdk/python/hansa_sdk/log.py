"""Lines for the operator; `hansa agent logs NAME` shows them. The world needs `import hansa:agent/log@0.1.0;`.

`print` works too: what is written to standard error and output ends up in the same log, without a level.

>>> from hansa_sdk import log, testing
>>> lines = testing.Log()
>>> with testing.world({"hansa:agent/log": lines.binding}):
...     log.warn("the seller was slow: 800 ms")
>>> lines.lines
[('warn', 'the seller was slow: 800 ms')]
"""

from __future__ import annotations

from hansa_sdk._bindings import find

_log = find("hansa:agent/log@0.1.0", ("log", "Level"))


def debug(message: str) -> None:
    """What only a developer wants to know."""
    _log.log(_log.Level.DEBUG, message)


def info(message: str) -> None:
    """What happened."""
    _log.log(_log.Level.INFO, message)


def warn(message: str) -> None:
    """What an operator should look at."""
    _log.log(_log.Level.WARN, message)


def error(message: str) -> None:
    """What went wrong."""
    _log.log(_log.Level.ERROR, message)
