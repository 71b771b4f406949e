"""Warehouse columns → Kustomer fields: the field catalogue, renaming, conversion and row validation. Pure.

check_fields, at load time
frame → map_frame → mapped frame (one row per input row, reasons in `_invalid`) → wire_rows → bodies
"""

from .catalogue import MATCH_ON
from .errors import (
    DuplicateColumnError,
    FieldConfigError,
    MappingError,
    MissingColumnError,
    UnknownFieldError,
)
from .fields import check_fields, field_names, field_type, list_attributes, required_fields
from .frame import column_names, map_frame
from .kinds import FieldMapping, FieldType, ListAttribute
from .wire import wire_rows

__all__ = [
    "MATCH_ON",
    "DuplicateColumnError",
    "FieldConfigError",
    "FieldMapping",
    "FieldType",
    "ListAttribute",
    "MappingError",
    "MissingColumnError",
    "UnknownFieldError",
    "check_fields",
    "column_names",
    "field_names",
    "field_type",
    "list_attributes",
    "map_frame",
    "required_fields",
    "wire_rows",
]
