"""What the wire takes: the limits that are documented, and those that were found out about this org.

    how many items, ids and criteria a request takes · which keys · whether `rev` and `in` work

What was found out goes out as a small dict (`learned`) and comes back in (`recall`), so that the next run need not find
it out again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from .answers import body_size
from .identifiers import ObjectName

Operation = Literal["create", "update"]

MAX_ITEMS: Final = 100  # docs/kustomer.md section 7.1
MAX_BYTES: Final = 95_000  # Kustomer takes 100 kB (docs/kustomer.md section 3); the rest is for the frame
MAX_IDS: Final = 100  # no number is documented for lists of ids (docs/kustomer.md section 4.1)
MAX_CRITERIA: Final = 20  # of `or` in a search (docs/kustomer.md section 8)
FIRST_IN, MAX_IN = 100, 400  # values of one `in`: not documented

# What companies take (docs/kustomer.md section 5): one other key makes the whole request a 400. Of customers only the
# single requests forbid other keys, and the catalogue of fields holds none that they do not take.
_COMPANY_UPDATE_IN_BULK: Final = frozenset(
    {
        *("id", "name", "externalId", "avatarUrl", "emails", "phones", "socials", "urls", "domains", "locations"),
        *("employeeCount", "tags", "custom", "defaultLang", "deleted"),
    }
)
_COMPANY_UPDATE: Final = _COMPANY_UPDATE_IN_BULK | {"whatsapps", "rev"}
_COMPANY_CREATE: Final = _COMPANY_UPDATE - {"id", "deleted"} | {"createdAt", "importedAt"}


@dataclass
class IdLists:
    """Lists of ids in one GET: whether they work (None: not known), how many ids at most, how many were taken."""

    works: bool | None = None
    at_most: int = MAX_IDS
    taken: int = 0


@dataclass
class SearchForms:
    """Searches by one field: whether `in` works (None: not known), and how many values either form takes."""

    in_works: bool | None = None
    tried: int = 0  # how often `in` was tried without a hit, which says nothing
    criteria: int = MAX_CRITERIA
    in_size: int = FIRST_IN
    in_ceiling: int = MAX_IN


class Wire:
    """The limits of requests to one org."""

    max_items = MAX_ITEMS
    max_bytes = MAX_BYTES

    def __init__(self) -> None:
        self._rev: dict[ObjectName, bool] = {}
        self._id_lists: dict[ObjectName, IdLists] = {"customers": IdLists(), "companies": IdLists()}
        self._searches: dict[tuple[ObjectName, str], SearchForms] = {}
        self.sort_works = True
        self.search_page_size: int | None = None  # None: not found out

    def item_size(self, item: Mapping[str, Any]) -> int:
        """Bytes that the item takes in the body of a bulk request. Raises BadRequestError for what is not JSON."""
        return body_size(item) + 1  # the comma

    def takes_rev(self, object_name: ObjectName, operation: Operation, *, bulk: bool = True) -> bool:
        """Whether an item may carry `rev`. Bulk updates of companies never; the others until one was refused."""
        if operation == "create" or (bulk and object_name == "companies"):
            return False
        return self._rev.get(object_name, True)

    def rev_refused(self, object_name: ObjectName) -> None:
        """An item on its own was refused with `rev` and taken without."""
        self._rev[object_name] = False

    def rev_accepted(self, object_name: ObjectName) -> None:
        """A request with `rev` was taken: later refusals have another reason."""
        self._rev[object_name] = True

    def rev_is_known(self, object_name: ObjectName) -> bool:
        """Whether it has been found out."""
        return object_name in self._rev

    def writable(self, object_name: ObjectName, operation: Operation, bulk: bool) -> frozenset[str] | None:
        """The keys that an item may have beside _clientRef; None where there is no such limit."""
        if object_name == "customers":
            return None
        if operation == "create":
            return _COMPANY_CREATE
        return _COMPANY_UPDATE_IN_BULK if bulk else _COMPANY_UPDATE

    def id_lists(self, object_name: ObjectName) -> IdLists:
        """What is known of lists of ids; to be changed by whoever finds out more."""
        return self._id_lists[object_name]

    def searches(self, object_name: ObjectName, field: str) -> SearchForms:
        """What is known of searches by a field; to be changed by whoever finds out more."""
        return self._searches.setdefault((object_name, field), SearchForms())

    def learned(self) -> dict[str, Any]:
        """What was found out, as JSON can hold it."""
        return {
            "rev": dict(self._rev),
            "ids": {name: [lists.works, lists.at_most, lists.taken] for name, lists in self._id_lists.items()},
            "search": {
                f"{name}.{field}": [forms.in_works, forms.criteria, forms.in_size, forms.in_ceiling]
                for (name, field), forms in self._searches.items()
            },
            "search_page_size": self.search_page_size,
            "sort": self.sort_works,
        }

    def recall(self, learned: Mapping[str, Any]) -> None:
        """Take over what `learned` gave in another run; what does not look like it is passed over."""
        names: tuple[ObjectName, ...] = ("customers", "companies")
        rev, ids, search = (_mapping(learned.get(key)) for key in ("rev", "ids", "search"))
        for name in names:
            if isinstance(taken := rev.get(name), bool):
                self._rev[name] = taken
            match ids.get(name):
                case [None | bool() as works, int(at_most), int(taken_ids)] if 1 <= at_most <= MAX_IDS:
                    self._id_lists[name] = IdLists(works, at_most, min(taken_ids, at_most))
        for key, found in search.items():
            name_of, _, field = key.partition(".")
            match found:
                case [None | bool() as in_works, int(criteria), int(in_size), int(ceiling)] if name_of in names:
                    forms = SearchForms(in_works, 0, _within(criteria, MAX_CRITERIA), _within(in_size, MAX_IN))
                    forms.in_ceiling = _within(ceiling, MAX_IN)
                    self._searches[name_of, field] = forms
        if learned.get("search_page_size") in (100, 500):
            self.search_page_size = learned["search_page_size"]
        self.sort_works = learned.get("sort") is not False


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _within(number: int, at_most: int) -> int:
    return max(1, min(number, at_most))
