"""A strategy for each kind of sync. This is the one place that asks what kind a specification is of."""

from .audiences import Audience
from .base import Strategy
from .leavers import Leavers
from .objects import Objects

__all__ = ["Audience", "Leavers", "Objects", "Strategy"]
