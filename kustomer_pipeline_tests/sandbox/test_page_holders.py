"""Who holds a tag and who belongs to a company, as the page for people keeps it in mind."""

from __future__ import annotations

import random

import pytest

from kustomer_pipeline.sandbox import Sandbox
from kustomer_pipeline.sandbox.audit import KEPT_ENTRIES
from kustomer_pipeline.sandbox.page import holders
from kustomer_pipeline.sandbox.page.holders import Holders, HoldersBook


def _sets(found: Holders) -> dict[str, set[str]]:
    """The holders without their order, and without the tags and companies that have none."""
    groups = {f"{kind} {tag}": set(ids) for kind, tags in found.by_tag.items() for tag, ids in tags.items()}
    groups |= {company: set(ids) for company, ids in found.by_company.items()}
    return {name: ids for name, ids in groups.items() if ids}


def _change_something(sandbox: Sandbox, dice: random.Random) -> None:
    tags = dice.sample(["red", "green", "blue"], dice.randrange(3))
    customers, companies = list(sandbox.customers), list(sandbox.state.store.live["company"])
    company = dice.choice([*companies, None])
    match dice.randrange(7):
        case 0 | 1:
            sandbox.seed_customer(tags=tags, company=company)
        case 2:
            sandbox.seed_company(name="Acme", tags=tags)
        case 3 if customers:
            sandbox.agent_edit(dice.choice(customers), tags=tags, company=company)
        case 4 if len(customers) > 1:
            sandbox.agent_merge(*dice.sample(customers, 2))
        case 5 if customers:
            sandbox.agent_delete(dice.choice(customers))
        case 6 if companies:
            sandbox.agent_edit(dice.choice(companies), tags=tags)


@pytest.mark.parametrize("kept", [KEPT_ENTRIES, 3], ids=["all changes are known", "too many changed"])
def test_they_are_what_a_pass_over_the_whole_org_would_find(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(holders, "KEPT_ENTRIES", kept)
    dice = random.Random(7)
    sandbox = Sandbox(serve=False)
    book = HoldersBook()
    for _ in range(120):
        for _ in range(dice.randrange(4)):
            _change_something(sandbox, dice)
        store = sandbox.state.store
        assert _sets(book.of(store)) == _sets(holders._counted(store))
    assert len(_sets(book.of(store))) > 5


def test_no_look_passes_over_all_records_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(serve=False)
    for number in range(50):
        sandbox.seed_customer(externalId=str(number), tags=["vip"])
    book = HoldersBook()
    (tag,) = sandbox.tags
    monkeypatch.setattr(holders, "_counted", lambda store: pytest.fail("a pass over all records"))
    assert len(book.of(sandbox.state.store).of_tag("customer", tag)) == 50
    sandbox.agent_edit(next(iter(sandbox.customers)), tags=[])
    assert len(book.of(sandbox.state.store).of_tag("customer", tag)) == 49
