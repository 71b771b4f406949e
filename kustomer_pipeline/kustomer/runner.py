"""Where the client's coroutines run: one event loop of its own, for callers that are not asynchronous.

    run(coroutine) → its result, from a thread without a running loop
                   → the same by a worker thread, from a thread that has one (a notebook, say)

Whatever comes out of `run`, a KeyboardInterrupt included, nothing of what was started on the loop is left behind.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from .clock import Clock

_Result = TypeVar("_Result")
_LAST_WORDS = 5.0  # seconds for tasks that are cancelled to end


class LoopRunner:
    """Runs one coroutine at a time."""

    def __init__(self, clock: Clock) -> None:
        self._runner = asyncio.Runner(loop_factory=clock.new_loop)
        self._used = False
        self._closed = False

    def run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        """The result of the coroutine, or what it raises. To be awaited instead by whoever is on this loop already.

        It runs in the caller's context: what holds there (a span, what requests are for) holds in it.
        """
        if self._closed:
            coroutine.close()
            raise RuntimeError("this client is closed")
        running = _running_loop()
        if running is None:
            return self._run_here(coroutine)
        if self._used and running is self._runner.get_loop():
            coroutine.close()
            raise RuntimeError("this runs on the client's own loop already: await the coroutine instead")
        return self._run_elsewhere(coroutine)

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Run `last` if anything ever ran, then close the loop. May be called again."""
        if not self._used or self._closed:
            last.close()
        else:
            try:
                self.run(last)
            finally:
                self._runner.close()
        self._closed = True

    def _run_here(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        self._used = True
        try:
            return self._runner.run(coroutine, context=contextvars.copy_context())
        finally:
            if _others(self._runner.get_loop()):
                self._runner.run(_cancel_others())

    def _run_elsewhere(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        results: list[_Result] = []
        errors: list[BaseException] = []
        tasks: list[asyncio.Task[Any]] = []

        async def noted() -> _Result:
            task = asyncio.current_task()
            assert task is not None  # a coroutine that runs is in a task
            tasks.append(task)
            return await coroutine

        def work() -> None:
            try:
                results.append(self._run_here(noted()))
            except BaseException as error:  # raised again below, in the thread that asked
                errors.append(error)

        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,), name="kustomer-client", daemon=True)
        thread.start()
        try:
            thread.join()
        except BaseException:  # the caller is interrupted while it waits: so is the work
            for task in tasks:
                task.get_loop().call_soon_threadsafe(task.cancel)
            thread.join()
            raise
        if errors:
            raise errors[0]
        return results[0]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _others(loop: asyncio.AbstractEventLoop) -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks(loop) if not task.done()}


async def _cancel_others() -> None:
    left = _others(asyncio.get_running_loop()) - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_LAST_WORDS)
