"""Many reads at once, so that nothing is left running when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import TypeVar

_Result = TypeVar("_Result")


async def all_of(work: Iterable[Awaitable[_Result]]) -> list[_Result]:
    """The results in the order of the work. The first error is raised once all the others have been called off."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        unfinished = [task for task in tasks if not task.done()]
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished)
