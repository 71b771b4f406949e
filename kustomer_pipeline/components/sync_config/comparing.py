"""Where the rows of a sync are compared with what was accepted."""

from typing import Literal

from pydantic import Field

from .parts import Attributes, SchemaName


class Comparing(Attributes):
    """Here, or in the warehouse."""

    compare: Literal["embedded", "in_warehouse"] | None = Field(
        None,
        description="Where rows are compared with what was accepted. embedded: here; every row is read in every run. "
        "in_warehouse: there; only rows that have changed leave it, which is for tables of millions. The warehouse "
        "user needs a schema to write to. Default: KUSTOMER_COMPARE, else embedded.",
    )
    state_schema: SchemaName = Field(
        "kustomer_state",
        description="With compare: in_warehouse, the schema of the warehouse that holds the rows as last accepted.",
    )
