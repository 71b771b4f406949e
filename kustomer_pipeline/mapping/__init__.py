"""Warehouse columns → Kustomer fields: the field catalogue, renaming, conversion and row validation. Pure.

check_fields, at load time
frame → map_frame → mapped frame (one row per input row) → wire_rows → bodies
                                                         → reason_lines → why rows are refused
"""

from .catalogue import MATCH_ON
from .errors import (
    DuplicateColumnError,
    FieldConfigError,
    MappingError,
    MissingColumnError,
    UnknownFieldError,
)
from .fields import check_fields, field_names, field_type, list_attributes, nullable_fields, required_fields
from .frame import column_names, map_frame
from .identities import hash_of, hashes_of_values, identity_columns, identity_hashes
from .keys import is_personal_key
from .kinds import FieldMapping, FieldType, ListAttribute
from .reasons import CODES, INVALID, KEY, ROW, ReasonCode, reason_lines
from .salted import salted_hashes
from .wire import wire_rows
from .withheld import WITHHELD, is_withheld, withhold

__all__ = [
    "CODES",
    "INVALID",
    "KEY",
    "MATCH_ON",
    "ROW",
    "WITHHELD",
    "DuplicateColumnError",
    "FieldConfigError",
    "FieldMapping",
    "FieldType",
    "ListAttribute",
    "MappingError",
    "MissingColumnError",
    "ReasonCode",
    "UnknownFieldError",
    "check_fields",
    "column_names",
    "field_names",
    "field_type",
    "hash_of",
    "hashes_of_values",
    "identity_columns",
    "identity_hashes",
    "is_personal_key",
    "is_withheld",
    "list_attributes",
    "map_frame",
    "nullable_fields",
    "reason_lines",
    "required_fields",
    "salted_hashes",
    "wire_rows",
    "withhold",
]
