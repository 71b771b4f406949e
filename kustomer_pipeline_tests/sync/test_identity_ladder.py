"""The identity ladder on live records: a match, or a reason, never a guess."""

from typing import Any

from kustomer_pipeline.kustomer import Record
from kustomer_pipeline.sync.identity import judge
from kustomer_pipeline.sync.rows import Row

LADDER = ("externalId", "email")


def row(external_id: str | None, email: str | None = None, name: str | None = None) -> Row:
    source: dict[str, Any] = {"externalId": external_id, "emails": [{"email": email}] if email else None, "name": name}
    return Row(0, "k", 0, source)


def customer(id_: str, external_id: str | None = None, *emails: str) -> Record:
    attributes = {"externalId": external_id, "emails": [{"email": email} for email in emails]}
    return Record("customers", id_, attributes, None, 1, False)


def company(id_: str, name: str, external_id: str | None = None) -> Record:
    return Record("companies", id_, {"name": name, "externalId": external_id}, None, None, False)


def test_nobody_holds_an_identifier() -> None:
    assert judge(row("7", "a@x.com"), [customer("c1", "8", "b@x.com")], LADDER) is None


def test_the_first_rung_that_is_held_decides() -> None:
    match = judge(row("7", "a@x.com"), [customer("c1", "7", "b@x.com")], LADDER)
    assert match is not None
    assert match.record is not None
    assert "c1" == match.record.id


def test_a_lower_rung_matches_a_record_without_the_higher_identifier() -> None:
    match = judge(row("7", "a@x.com"), [customer("c1", None, "A@X.com")], LADDER)
    assert match is not None
    assert match.record is not None


def test_an_email_that_belongs_to_another_external_id_is_not_taken_over() -> None:
    match = judge(row("7", "a@x.com"), [customer("c1", "8", "a@x.com")], LADDER)
    assert match is not None
    assert match.record is None
    assert "the record with this row's e-mail (c1) has another externalId" == match.problem


def test_crossed_identifiers_match_nobody() -> None:
    match = judge(row("7", "a@x.com"), [customer("c1", "7"), customer("c2", None, "a@x.com")], LADDER)
    assert match is not None
    assert match.problem is not None
    assert "belong to different records in Kustomer: c1 and c2" in match.problem
    assert "a@x.com" not in match.problem


def test_two_candidates_match_nobody() -> None:
    match = judge(row(None, "a@x.com"), [customer("c1", None, "a@x.com"), customer("c2", None, "a@x.com")], LADDER)
    assert match is not None
    assert "more than one record in Kustomer has this row's e-mail: c1, c2" == match.problem


def test_companies_of_one_name_are_ambiguous() -> None:
    match = judge(row(None, name="Acme"), [company("1", "Acme"), company("2", "Acme")], ("name",))
    assert match is not None
    assert match.problem is not None


def test_a_company_of_that_name_with_another_external_id_is_another_company() -> None:
    assert judge(row("A1", name="Acme"), [company("1", "Acme", "X9")], ("externalId", "name")) is None
