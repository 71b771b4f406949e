"""What a person is told in place of a result."""

from __future__ import annotations


class CommandError(Exception):
    """The command cannot be done, or not all of it; the message says why, in full. Its exit status is 1."""
