"""Several purchases at once.

>>> import asyncio
>>> from hansa_sdk import join_at_most
>>> async def double(number):
...     return 2 * number
>>> asyncio.run(join_at_most(2, [double(number) for number in range(5)]))
[0, 2, 4, 6, 8]
"""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Iterable, List


async def join_all(purchases: Iterable[Awaitable[Any]]) -> List[Any]:
    """All answers in the order of the purchases. The first fault is raised as soon as it comes; the others go on and are paid."""
    return list(await asyncio.gather(*purchases))


async def join_at_most(count: int, purchases: Iterable[Awaitable[Any]]) -> List[Any]:
    """As `join_all`, with at most `count` (1 or more) in flight; fewer strain a supplier less than a hundred at once."""
    if count < 1:
        raise ValueError(f"`count` is `{count}`; let at least one be in flight")
    free = asyncio.Semaphore(count)

    async def one(purchase: Awaitable[Any]) -> Any:
        async with free:
            return await purchase

    return list(await asyncio.gather(*(one(purchase) for purchase in purchases)))
