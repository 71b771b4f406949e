"""An audience from a query: a tag on customers or companies."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from kustomer_pipeline.mapping import MATCH_ON
from kustomer_pipeline.sync import AudienceSpec, RemovalLimit

from .common import SyncAttributes, SyncConfig
from .parts import MaxRemovals, Share, TagName
from .problems import Problem, listed


class AudienceSyncAttributes(SyncAttributes):
    """The attributes of kustomer_pipeline.AudienceSync."""

    tag: TagName = Field(description="The name of the tag that the members get.", examples=["vip"])
    object: Literal["customers", "companies"] = Field(
        "customers", description="Who the members are: customers or companies."
    )
    mode: Literal["add", "remove", "mirror"] = Field(
        "add",
        description="add: tag the rows of the query. remove: untag them. "
        "mirror: tag them, and untag who is no longer among them.",
    )
    match_on: list[str] | None = Field(
        None,
        min_length=1,
        description="How a row is recognised in Kustomer, tried in this order. customers: externalId, email, phone. "
        "companies: externalId, name. Default: those of them that are mapped.",
        examples=[["email"]],
    )
    mirror_scope: Literal["owned", "tag"] = Field(
        "owned",
        description="Whom mirror may untag. owned: only members that this sync has tagged. tag: whoever holds the tag.",
    )
    max_removals: MaxRemovals = Field(
        MaxRemovals(),
        description="The guard of removals: when a run would untag more than this share or number of members, "
        "it untags nobody until somebody approves.",
    )
    max_absent_share: Share = Field(
        0.5,
        description="Share of the rows, 0 to 1, whose member may be missing in Kustomer: above it a check warns.",
    )


class AudienceSyncConfig(SyncConfig, AudienceSyncAttributes):
    """Rows of a query as the members of an audience."""

    attributes_of: ClassVar[type[SyncAttributes]] = AudienceSyncAttributes

    @property
    def identifiers(self) -> list[str]:
        """The identity ladder: as written, else every mapped identifier."""
        return self.match_on or [field for field in MATCH_ON[self.object] if field in self.fields]

    @property
    def spec(self) -> AudienceSpec:
        """What the engine needs to know."""
        return AudienceSpec(
            name=self.name,
            tag=self.tag,
            mode=self.mode,
            match_on=tuple(self.identifiers),
            fields=self.mappings,
            mirror_scope=self.mirror_scope,
            max_removals=RemovalLimit(share=self.max_removals.share, count=self.max_removals.count),
            default_region=self.default_region,
            object=self.object,
            renamed_from=self.renamed_from,
            approval=self.approval_rule,
        )

    @property
    def parts(self) -> None:
        """An audience is looked at as a whole."""
        return None

    @property
    def tag_name(self) -> str:
        """The tag that it keeps."""
        return self.tag

    @property
    def kind(self) -> str:
        """Who the members are."""
        return self.object

    @property
    def stage(self) -> int:
        """Last: members have to be there before they can be tagged."""
        return 2

    def find_problems(self) -> Iterator[Problem]:
        """Fields that find nobody: an audience only looks its members up."""
        problems = list(self.field_problems(self.object, self.identifiers))
        yield from problems
        for field in self.fields:
            if not problems and field not in self.identifiers:
                yield Problem(
                    ("fields", field),
                    f"an audience writes nothing but its tag, so {field} would be ignored: remove it, "
                    f"or map {listed(MATCH_ON[self.object])} to find {self.object} by",
                )
