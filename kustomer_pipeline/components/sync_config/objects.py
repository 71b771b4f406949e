"""Customers or companies from a query."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kustomer_pipeline.mapping import required_fields
from kustomer_pipeline.sync import ChangeLimit, ObjectSpec

from .common import SyncAttributes, SyncConfig
from .parts import MaxChanges
from .problems import Problem, listed


class ObjectSyncAttributes(SyncAttributes):
    """The attributes of kustomer_pipeline.ObjectSync."""

    object: Literal["customers", "companies"] = Field(description="What a row is: customers or companies.")
    mode: Literal["upsert", "insert", "update"] = Field(
        "upsert",
        description="upsert: create new ones, update known ones. insert: only create. update: only update.",
    )
    match_on: list[str] = Field(
        min_length=1,
        description="How a row is recognised in Kustomer, tried in this order. "
        "customers: externalId, email, phone. companies: externalId, name.",
        examples=[["externalId", "email"]],
    )
    nulls: Literal["keep", "clear"] = Field(
        "keep",
        description="What a null in the warehouse does. keep: Kustomer's value stays. clear: it is emptied.",
    )
    max_changes: MaxChanges = Field(
        MaxChanges(),
        description="The guard of mass changes: when a run would change more than this share or number of the records "
        "that were sent before (100 at least) although the sync itself is as it was, it changes none of them until "
        "somebody approves. New records still go.",
    )
    shards: Annotated[int, Field(ge=2, le=1000)] | None = Field(
        None,
        description="For rows that are compared here: split them into so many partitions of "
        "Dagster's, each a run that reads, compares and sends a part of the rows, on as many machines as there are. "
        "All of them have to reach the database of KUSTOMER_STATE_URL.",
        examples=[16],
    )


class ObjectSyncConfig(SyncConfig, ObjectSyncAttributes):
    """Rows of a query as customers or companies."""

    attributes_of: ClassVar[type[SyncAttributes]] = ObjectSyncAttributes

    @property
    def spec(self) -> ObjectSpec:
        """What the engine needs to know."""
        return ObjectSpec(
            name=self.name,
            object=self.object,
            mode=self.mode,
            match_on=tuple(self.match_on),
            fields=self.mappings,
            nulls=self.nulls,
            default_region=self.default_region,
            max_changes=ChangeLimit(share=self.max_changes.share, count=self.max_changes.count),
            renamed_from=self.renamed_from,
            approval=self.approval_rule,
        )

    @property
    def parts(self) -> int | None:
        """As written."""
        return self.shards

    @property
    def tag_name(self) -> None:
        """It writes records."""
        return None

    @property
    def kind(self) -> str:
        """What a row is."""
        return self.object

    @property
    def stage(self) -> int:
        """Companies first: a customer links to its company."""
        return 1 if self.object == "customers" else 0

    def find_problems(self) -> Iterator[Problem]:
        """Fields and match_on that cannot work; required fields that are not mapped."""
        if self.shards is not None and self.compare == "in_warehouse":
            yield Problem(("shards",), "with compare: in_warehouse only what changed leaves the warehouse; keep one")
        if self.shards is not None and isinstance(self.source, str):
            what = "the rows are a DataFrame, which is made as a whole: write source: {asset, table}, or a query"
            yield Problem(("shards",), what)
        problems = list(self.field_problems(self.object, self.match_on))
        yield from problems
        missing = [field for field in required_fields(self.object) if field not in self.fields]
        if missing and self.mode != "update" and not problems:
            yield Problem(
                ("fields",),
                f"{self.object} need {listed(missing, 'and')} to be created; map it, or use mode: update",
            )
