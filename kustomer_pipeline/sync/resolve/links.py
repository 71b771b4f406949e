"""The company link of customers: the warehouse's company identifier → Kustomer's company id, looked up once a run.

Where a companies sync of the same state has seen a company is a hint, checked live. A company that Kustomer does not
have is a problem of the row, or with `missing: send_without` something that the row goes without for now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kustomer_pipeline.kustomer import KustomerClient

from ..expected import NOTHING, Marks, mark_of
from ..identifier_set import IdentifierSet
from ..masking import to_be_created
from ..reasons import Reason, ReasonCode
from ..rows import Case, DesiredRow
from ..state import Identities
from .finder import Finder
from .hints import Hints


class CompanyLinks:
    """Resolves company identifiers. `match`: externalId, name, or id (taken as it is). `values`: all that will be asked
    for. `expected`: marks of companies that an earlier plan of the same making creates. `reject`: whether a row whose
    company is not there is refused; else it goes without."""

    def __init__(
        self,
        client: KustomerClient,
        identities: Identities,
        match: str,
        values: Sequence[str],
        expected: Marks = NOTHING,
        *,
        reject: bool = True,
    ) -> None:
        self.match = match
        self._expected = expected
        self._reject = reject
        self._asked_for: dict[str, Sequence[str]] = {}
        self._ids: dict[str, str] = {}
        self._problems: dict[str, Reason] = {}
        self._finder = Finder(
            client,
            identities,
            "companies",
            (match,),
            unknown=len(values),
            wanted=lambda: IdentifierSet((match, value) for value in values),
            keys_of=lambda case: self._asked_for.get(case.key, ()),
        )

    @property
    def hints(self) -> Hints:
        """Where companies were seen; names are not unique, so only externalIds are worth keeping."""
        return self._finder.hints if self.match == "externalId" else Hints()

    def id_of(self, value: str) -> str | None:
        """The Kustomer id of a resolved company."""
        return value if self.match == "id" else self._ids.get(value)

    def problem_of(self, value: str) -> Reason | None:
        """Why a company could not be resolved."""
        return self._problems.get(value)

    async def resolve(self, rows: Mapping[str, Sequence[str]]) -> None:
        """Find the companies named, so that `id_of` and `problem_of` can answer. Raises KustomerError.

        rows: company → keys of the rows that name it.
        """
        for value in rows if self._expected else ():
            if value not in self._ids and mark_of("companies", self.match, value) in self._expected:
                self._ids[value] = to_be_created(value)
        unknown = sorted({value for value in rows if value not in self._ids and value not in self._problems})
        if not unknown or self.match == "id":
            return
        cases = [Case(DesiredRow(-1, value, 0, {self.match: value}), must_prove=True) for value in unknown]
        self._asked_for |= {value: rows[value] for value in unknown}
        matches = await self._finder.find(cases)
        for value, match in zip(unknown, matches, strict=True):
            self._asked_for.pop(value, None)
            if match.record is not None:
                self._ids[value] = match.record.id
            elif match.problem is not None:
                self._problems[value] = Reason(match.problem.code, f"company link: {match.problem}", "company")
            else:
                self._problems[value] = self._not_there()

    def _not_there(self) -> Reason:
        text = f"company link: Kustomer has no company with this {self.match}; "
        if self._reject:
            text += "sync the companies first, then this row goes with the next run"
            return Reason(ReasonCode.UNKNOWN_COMPANY, text, "company")
        return Reason(ReasonCode.WITHOUT_COMPANY, text + "sent without it, until a run finds it there", "company")
