"""Customers or companies from a query."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from kustomer_pipeline.mapping import required_fields
from kustomer_pipeline.sync import ObjectSpec

from .problems import Problem, listed
from .sync_component import Sync, SyncAttributes


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


class ObjectSync(Sync, ObjectSyncAttributes):
    """Sends the rows of a warehouse query to Kustomer as customers or companies.

    The query's rows are mapped to Kustomer fields and compared with what is there; only differences are sent.
    Gives the assets `warehouse/<name>` → `mapped/<name>` → `kustomer/<name>` and `plan/<name>`, which shows
    what would be sent; checks, the job `sync_<name>`, and a sensor when `watch` is given.
    """

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
        )

    @property
    def is_audience(self) -> bool:
        """It writes records."""
        return False

    def find_problems(self) -> Iterator[Problem]:
        """Fields and match_on that cannot work; required fields that are not mapped."""
        problems = list(self.field_problems(self.object, self.match_on))
        yield from problems
        missing = [field for field in required_fields(self.object) if field not in self.fields]
        if missing and self.mode != "update" and not problems:
            yield Problem(
                ("fields",),
                f"{self.object} need {listed(missing, 'and')} to be created; map it, or use mode: update",
            )
