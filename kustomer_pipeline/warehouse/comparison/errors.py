"""The error of a comparison in the warehouse."""

from __future__ import annotations

from ..errors import WarehouseError


class ComparisonError(WarehouseError):
    """The comparison cannot be made in the warehouse, or its reading is gone; the message says what to do."""
