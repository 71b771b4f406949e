"""A strategy for each kind of sync; which one a specification needs is asked for in opening.py."""

from .audiences import Audience
from .base import Strategy
from .leavers import Leavers
from .objects import Objects

__all__ = ["Audience", "Leavers", "Objects", "Strategy"]
