"""A stream executed: the life of a bulk job, many jobs at once, and those that an earlier run left behind."""

from .executor import Executor
from .recovery import collect_left_behind
from .settled import remember_invalid
from .writer import Writer

__all__ = ["Executor", "Writer", "collect_left_behind", "remember_invalid"]
