"""The page for people: what is in the org, what was asked of it, and which faults are switched on. Plain HTML,
everything escaped; it works without scripts.

    address → guard (this browser, this address?) → routes → one module a page → parts (the frame) → HTML

Nothing here costs a unit of the budget or is in the log of requests.
"""

from .exchanges import Exchange, LastBodies
from .routes import Page

__all__ = ["Exchange", "LastBodies", "Page"]
