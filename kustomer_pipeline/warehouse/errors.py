"""Errors of the warehouse. Their text is for people, and never holds a password.

WarehouseError
 ├─ WarehouseUrlError           the URL cannot be used: not a URL, no such file, no driver for it
 ├─ WarehouseUnavailableError   the database does not answer, or hung up: trying again later may help
 ├─ QueryError                  the database refuses the query, or its result is not a table of named values
 ├─ ComparisonError             the warehouse cannot compare: a right is missing, a reading is gone (comparison/)
 └─ LogTablesError              the log of a run cannot be written: a right is missing, a table is somebody else's
"""

from __future__ import annotations


class WarehouseError(Exception):
    """Base of everything the warehouse raises."""


class WarehouseUrlError(WarehouseError):
    """The URL of the warehouse cannot be used; the message says what to change."""


class WarehouseUnavailableError(WarehouseError):
    """The database cannot be reached, refuses the login, or closed the connection."""


class QueryError(WarehouseError):
    """The query cannot be run, or what it returns cannot be a DataFrame."""


class LogTablesError(WarehouseError):
    """The log of a run could not be written; the message says what the warehouse user may not do."""
