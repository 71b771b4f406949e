"""A process that ends before one of its statements, in the process of the test."""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa


class KilledError(BaseException):
    """The process ends here."""


@contextlib.contextmanager
def killed_at(number: int) -> Iterator[None]:
    """The process ends before that statement is executed, counted from one."""
    counter = itertools.count(1)

    def count(_: sa.Connection, cursor: Any, *arguments: Any) -> None:
        if next(counter) == number:
            cursor.close()  # a process that ends leaves none; in one that goes on the driver would warn of it
            raise KilledError

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", count)
