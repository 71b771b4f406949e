"""What changed, found out in the warehouse: of ten million rows only those that differ leave it.

    the user's select ─┐
                       ├─→ one statement: group both, column by column ─→ staged rows ──→ Reading (a frame)
    lines (as accepted)┘                                                └─→ changed lines ─→ gone (keys)
    staged rows + what Kustomer accepted ─→ accept ─→ lines

A *line* is a row as Kustomer last accepted it. Lines live in a schema of the warehouse, with the source's own types,
and are compared there; their values never pass through Python. Only `accept` changes a line, in one transaction:
whoever is stopped before it finds the same differences again, so nothing is lost, and a row is delivered once too often
at worst.

All lines of a sync have one token, another after each `accept`. The caller says which tokens it trusts (values.Trust);
lines with another one belong to a state that is not the caller's, and every row is read.
"""

from .comparison import Comparison
from .errors import ComparisonError
from .values import ROW, Kept, Reading, Source, Trust

__all__ = ["ROW", "Comparison", "ComparisonError", "Kept", "Reading", "Source", "Trust"]
