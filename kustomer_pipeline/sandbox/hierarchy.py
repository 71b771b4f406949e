"""Which company belongs to which: trees of companies, at most 20 deep and of 2,000 (docs/kustomer.md section 10a)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import bad_parameter, not_found
from .records import Record

NAME = "company_hierarchy"
MAX_DEPTH = 20
"""Companies from the top of a tree down to its deepest one."""
MAX_COMPANIES = 2_000
"""Companies in a tree."""


@dataclass(frozen=True, slots=True)
class Edge:
    """One company below another; `created` in epoch seconds."""

    id: str
    parent: str
    child: str
    created: float
    created_by: str


class Hierarchy:
    """The edges between the companies of an org. A company has one parent at most.

    find_company: a company by its id, deleted or not; new_id: makes the id of an edge.
    """

    def __init__(self, find_company: Callable[[str], Record | None], new_id: Callable[[float], str]) -> None:
        self._find_company = find_company
        self._new_id = new_id
        self._edges: dict[str, Edge] = {}
        self._above: dict[str, Edge] = {}
        self._below: dict[str, dict[str, Edge]] = {}

    # ---- reading ----

    def parent_of(self, company_id: str) -> str | None:
        """The id of the company right above, None for the top of a tree."""
        edge = self._above.get(company_id)
        return edge.parent if edge else None

    def children_of(self, company_id: str) -> list[str]:
        """The ids of the companies right below, in the order in which they came."""
        return list(self._below.get(company_id, ()))

    def edges(self) -> list[Edge]:
        """Every edge, oldest first."""
        return list(self._edges.values())

    # ---- writing ----

    def link(self, parent_id: str, child_id: str, *, by: str, now: float) -> Edge:
        """Put a company that has no parent yet below another; raises the 400 of what may not be."""
        parent, child = self._company(parent_id, "sourceId"), self._company(child_id, "targetId")
        if child in self._above:
            raise bad_parameter("The company has a parent already", "targetId")
        self._check(parent, child, "targetId")
        return self._add(parent, child, by, now)

    def set_parent(self, child_id: str, parent_id: str, *, by: str, now: float) -> Edge:
        """Put a company below another, in place of the parent that it has; nothing changes if that is the one."""
        child, parent = self._company(child_id, "companyId"), self._company(parent_id, "parentId")
        before = self._above.get(child)
        if before is not None and before.parent == parent:
            return before
        self._check(parent, child, "parentId")
        if before is not None:
            self._drop(before)
        return self._add(parent, child, by, now)

    def remove_edge(self, edge_id: str) -> None:
        """Take an edge away; raises 404 when there is none of this id."""
        edge = self._edges.get(edge_id.lower())
        if edge is None:
            raise not_found("id")
        self._drop(edge)

    def remove_parent(self, child_id: str) -> None:
        """Make a company the top of its own tree; raises 404 when it has no parent."""
        edge = self._above.get(child_id.lower())
        if edge is None:
            raise not_found("companyId")
        self._drop(edge)

    def _company(self, company_id: str, parameter: str) -> str:
        company = self._find_company(company_id)
        if company is None:
            raise bad_parameter("Company not found", parameter)
        if company.deleted:
            raise bad_parameter("Company is deleted", parameter)
        return company.id

    def _check(self, parent: str, child: str, parameter: str) -> None:
        if parent == child:
            raise bad_parameter("A company cannot be its own parent", parameter)
        above = list(self._ancestors(parent))
        if child in above:
            raise bad_parameter("Circular hierarchy", parameter)
        levels = self._levels(child)
        if len(above) + 1 + len(levels) > MAX_DEPTH:
            raise bad_parameter(f"More than {MAX_DEPTH} levels deep", parameter)
        top = above[-1] if above else parent
        tree = self._levels(top)
        # The company may move within its tree, which then does not grow.
        coming = 0 if any(child in level for level in tree) else sum(map(len, levels))
        if sum(map(len, tree)) + coming > MAX_COMPANIES:
            raise bad_parameter(f"More than {MAX_COMPANIES} companies in the hierarchy", parameter)

    def _ancestors(self, company_id: str) -> Iterator[str]:
        above = self.parent_of(company_id)
        while above is not None:
            yield above
            above = self.parent_of(above)

    def _levels(self, company_id: str) -> list[set[str]]:
        """The company and everything below it, level by level."""
        levels = [{company_id}]
        while below := {child for parent in levels[-1] for child in self._below.get(parent, ())}:
            levels.append(below)
        return levels

    def _add(self, parent: str, child: str, by: str, now: float) -> Edge:
        edge = Edge(self._new_id(now), parent, child, now, by)
        self._edges[edge.id] = edge
        self._above[child] = edge
        self._below.setdefault(parent, {})[child] = edge
        return edge

    def _drop(self, edge: Edge) -> None:
        del self._edges[edge.id], self._above[edge.child], self._below[edge.parent][edge.child]
