"""Which company belongs to which (docs/kustomer.md section 10a)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sandbox.hierarchy import Hierarchy

from .conftest import Api

_UNKNOWN = "0" * 24


@pytest.fixture
def companies(sandbox: Sandbox) -> list[str]:
    return [sandbox.seed_company(name=f"Company {number}") for number in range(4)]


@pytest.fixture
def hierarchy(sandbox: Sandbox) -> Hierarchy:
    return sandbox.state.store.hierarchy


def _chain(sandbox: Sandbox, length: int) -> list[str]:
    """So many companies, each below the one before it."""
    ids = [sandbox.seed_company(name=f"Level {number}") for number in range(length)]
    for parent, child in pairwise(ids):
        sandbox.seed_parent(child, parent)
    return ids


def test_an_edge_puts_one_company_below_another(api: Api, companies: list[str], hierarchy: Hierarchy) -> None:
    top, child, other, _ = companies
    created = api.post("/v1/kedge", {"sourceId": top, "targetId": child, "name": "company_hierarchy"})
    assert created.status == 201
    assert (created.data["type"], created.attributes["name"]) == ("kedge", "company_hierarchy")
    assert (created.attributes["sourceId"], created.attributes["targetId"]) == (top, child)
    assert created.data["relationships"]["target"]["data"] == {"type": "company", "id": child}
    assert api.post("/v1/kedge", {"sourceId": top, "targetId": other}).status == 201
    assert (hierarchy.parent_of(child), hierarchy.parent_of(top)) == (top, None)
    assert hierarchy.children_of(top) == [child, other]
    assert [edge.child for edge in hierarchy.edges()] == [child, other]


def test_a_new_parent_takes_the_place_of_the_old_one(api: Api, companies: list[str], hierarchy: Hierarchy) -> None:
    first, second, child, _ = companies
    for parent in (first, second):
        assert api.post(f"/v1/kedge/{child}/parent", {"parentId": parent}).status == 201
    assert hierarchy.parent_of(child) == second
    assert hierarchy.children_of(first) == []
    assert len(hierarchy.edges()) == 1


def test_the_same_parent_again_changes_nothing(api: Api, companies: list[str], hierarchy: Hierarchy) -> None:
    parent, child, *_ = companies
    ids = {api.post(f"/v1/kedge/{child}/parent", {"parentId": parent}).data["id"] for _ in range(2)}
    assert ids == {edge.id for edge in hierarchy.edges()}


def test_an_edge_goes_by_its_id_or_by_the_company_below(api: Api, companies: list[str], hierarchy: Hierarchy) -> None:
    parent, child, *_ = companies
    edge = api.post("/v1/kedge", {"sourceId": parent, "targetId": child}).data["id"]
    assert [api.delete(f"/v1/kedge/{edge}").status for _ in range(2)] == [204, 404]
    api.post("/v1/kedge", {"sourceId": parent, "targetId": child})
    assert [api.delete(f"/v1/kedge/{child}/parent").status for _ in range(2)] == [204, 404]
    assert api.delete(f"/v1/kedge/{_UNKNOWN}/parent").status == 404
    assert (hierarchy.edges(), hierarchy.children_of(parent)) == ([], [])


def _unknown_parent(api: Api, sandbox: Sandbox) -> tuple[str, str]:
    return _UNKNOWN, sandbox.seed_company(name="Acme")


def _unknown_child(api: Api, sandbox: Sandbox) -> tuple[str, str]:
    return sandbox.seed_company(name="Acme"), _UNKNOWN


def _itself(api: Api, sandbox: Sandbox) -> tuple[str, str]:
    company = sandbox.seed_company(name="Acme")
    return company, company


def _circle(api: Api, sandbox: Sandbox) -> tuple[str, str]:
    top, _, bottom = _chain(sandbox, 3)
    return bottom, top


def _deleted_parent(api: Api, sandbox: Sandbox) -> tuple[str, str]:
    parent, child = sandbox.seed_company(name="Acme"), sandbox.seed_company(name="Bolt")
    sandbox.agent_delete(parent)
    return parent, child


def _deleted_child(api: Api, sandbox: Sandbox) -> tuple[str, str]:
    child, parent = _deleted_parent(api, sandbox)
    return parent, child


def _too_deep(api: Api, sandbox: Sandbox) -> tuple[str, str]:
    return _chain(sandbox, 11)[-1], _chain(sandbox, 10)[0]


@pytest.mark.parametrize(
    "case", [_unknown_parent, _unknown_child, _itself, _circle, _deleted_parent, _deleted_child, _too_deep]
)
def test_what_may_not_be_is_a_400_either_way(
    api: Api, sandbox: Sandbox, hierarchy: Hierarchy, case: Callable[[Api, Sandbox], tuple[str, str]]
) -> None:
    parent, child = case(api, sandbox)
    before = hierarchy.edges()
    for reply in (
        api.post("/v1/kedge", {"sourceId": parent, "targetId": child}),
        api.post(f"/v1/kedge/{child}/parent", {"parentId": parent}),
    ):
        assert (reply.status, reply.error["code"]) == (400, "badparam")
    assert hierarchy.edges() == before


def test_a_tree_may_be_20_deep(api: Api, sandbox: Sandbox, hierarchy: Hierarchy) -> None:
    upper, lower = _chain(sandbox, 10), _chain(sandbox, 10)
    assert api.post(f"/v1/kedge/{lower[0]}/parent", {"parentId": upper[-1]}).status == 201
    assert hierarchy.parent_of(lower[0]) == upper[-1]
    # Higher up in the same tree is not deeper.
    assert api.post(f"/v1/kedge/{lower[0]}/parent", {"parentId": upper[0]}).status == 201


def test_a_tree_has_at_most_2000_companies(api: Api, sandbox: Sandbox) -> None:
    top, *others = [sandbox.seed_company(name=f"Company {number}") for number in range(2_001)]
    for child in others[:-1]:
        sandbox.seed_parent(child, top)
    assert api.post(f"/v1/kedge/{others[-1]}/parent", {"parentId": top}).status == 400
    # One that moves within the full tree is not one more.
    assert api.post(f"/v1/kedge/{others[0]}/parent", {"parentId": others[1]}).status == 201
    assert api.delete(f"/v1/kedge/{others[2]}/parent").status == 204
    assert api.post(f"/v1/kedge/{others[-1]}/parent", {"parentId": top}).status == 201


def test_a_company_has_one_parent(api: Api, companies: list[str], hierarchy: Hierarchy) -> None:
    first, second, child, _ = companies
    assert api.post("/v1/kedge", {"sourceId": first, "targetId": child}).status == 201
    assert api.post("/v1/kedge", {"sourceId": second, "targetId": child}).status == 400
    assert hierarchy.parent_of(child) == first


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sourceId": _UNKNOWN},
        {"sourceId": "x", "targetId": "y"},
        {"sourceId": _UNKNOWN, "targetId": "1" * 24, "name": "other"},
        {"sourceId": _UNKNOWN, "targetId": "1" * 24, "more": 1},
    ],
)
def test_a_malformed_edge_is_a_400(api: Api, body: dict[str, object]) -> None:
    assert api.post("/v1/kedge", body).status == 400


def test_the_edges_of_a_company_that_is_deleted_stay_until_they_are_taken_away(
    api: Api, sandbox: Sandbox, companies: list[str], hierarchy: Hierarchy
) -> None:
    parent, child, *_ = companies
    sandbox.seed_parent(child, parent)
    sandbox.agent_delete(parent)
    assert hierarchy.parent_of(child) == parent
    assert api.delete(f"/v1/kedge/{child}/parent").status == 204
    assert hierarchy.parent_of(child) is None
