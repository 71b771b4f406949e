"""A terminal, or whatever stands in its place: results on the standard output, everything else beside it.

    say       → standard output: coloured on a terminal (NO_COLOR is respected), plain in a pipe
    tell      → standard error: errors, notices, what our loggers say
    working   → standard error, on a terminal only: a bar while something takes long; nothing in CI

What comes from rows and from Kustomer cannot steer the terminal: characters that are not printed are shown as escapes.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from kustomer_pipeline.resources import setting
from kustomer_pipeline.sync import Progress as HowFar
from kustomer_pipeline.sync.report import OnProgress

Part = str | tuple[str, str]  # a text, or a text and its style

_LOGGER = "kustomer_pipeline"
_KEPT = "\n\u200c\u200d"  # the joiners of words in Persian, in Indian scripts, of emoji
_VALUE_CHARACTERS = 120


class Terminal:
    """Where a command speaks."""

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a terminal that has no arrows shows what it can
        self._out, self._beside = _Console(file=sys.stdout), _Console(stderr=True)
        self._alive = self._beside.is_terminal and not setting("", "CI")

    def say(self, *parts: Part) -> None:
        """A line of the result."""
        self._out.print(_text(parts), soft_wrap=True, highlight=False)

    def say_json(self, content: Any) -> None:
        """The result for programs: in ASCII, so that nothing in it steers a terminal."""
        self.write(json.dumps(content, indent=2))

    def write(self, text: str) -> None:
        """A result that is kept or sent on, as it is."""
        print(text, file=self._out.file, flush=True)

    def tell(self, *parts: Part) -> None:
        """Something beside the result."""
        self._beside.print(_text(parts), soft_wrap=True, highlight=False)

    @contextmanager
    def working(self, what: str) -> Iterator[OnProgress]:
        """For the body, show that something goes on; how far it is, when that is told."""
        if not self._alive:
            yield _nobody_looks
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[far]}", markup=False),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._beside, transient=True) as bar:
            task = bar.add_task(what, total=None, far="")
            yield lambda progress: bar.update(
                task, total=progress.total, completed=progress.done, far=printable(str(progress))
            )

    @contextmanager
    def hearing_logs(self) -> Iterator[None]:
        """For the body, what our loggers have to say is told: that a run waits for another, for the budget."""
        logger, handler = logging.getLogger(_LOGGER), _Told(self.tell)
        before = logger.level
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(before)


def printable(text: str) -> str:
    """A text in which nothing steers the terminal; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _KEPT else _escaped(one) for one in text)


def value_text(value: object) -> str:
    """A value on one line, its beginning when it is long; null where there is none."""
    if not isinstance(value, str):
        return "null"
    short = value if len(value) <= _VALUE_CHARACTERS else f"{value[: _VALUE_CHARACTERS - 1]}…"
    text = short.replace("\n", "\\n")
    return f'"{text}"' if not text or text != text.strip() or text == "null" else text


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """`| head` has read enough: what that means is for the command line to say."""
        raise BrokenPipeError


class _Told(logging.Handler):
    def __init__(self, tell: Callable[..., None]) -> None:
        super().__init__(logging.INFO)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        self._tell((record.getMessage(), "dim" if record.levelno < logging.WARNING else "yellow"))


def _text(parts: tuple[Part, ...]) -> Text:
    safe = [printable(part) if isinstance(part, str) else (printable(part[0]), part[1]) for part in parts]
    return Text.assemble(*safe)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _nobody_looks(progress: HowFar) -> None:
    pass
