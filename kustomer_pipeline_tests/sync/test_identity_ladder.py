"""The identity ladder on live records: a match, or a reason, never a guess."""

from typing import Any

import pytest

from kustomer_pipeline.kustomer import Record
from kustomer_pipeline.sync import Reason, ReasonCode
from kustomer_pipeline.sync.decisions import Match
from kustomer_pipeline.sync.resolve import judge
from kustomer_pipeline.sync.rows import Case, DesiredRow

LADDER = ("externalId", "email")


def case(external_id: str | None, email: str | None = None, name: str | None = None, phone: str | None = None) -> Case:
    body: dict[str, Any] = {
        "externalId": external_id,
        "emails": [{"email": email}] if email else None,
        "phones": [{"phone": phone}] if phone else None,
        "name": name,
    }
    return Case(DesiredRow(0, "k", 0, body))


def customer(id_: str, external_id: str | None = None, *emails: str, phone: str | None = None) -> Record:
    attributes: dict[str, Any] = {"externalId": external_id, "emails": [{"email": email} for email in emails]}
    if phone is not None:
        attributes["phones"] = [{"phone": phone}]
    return Record("customers", id_, attributes, None, 1, False)


def company(id_: str, name: str, external_id: str | None = None) -> Record:
    return Record("companies", id_, {"name": name, "externalId": external_id}, None, None, False)


def found(match: Match | None) -> str | None:
    """Id of the record that the row is."""
    assert match is not None
    return match.record.id if match.record is not None else None


def problem(match: Match | None) -> Reason:
    """Why the row is nobody."""
    assert match is not None
    assert match.record is None
    assert match.problem is not None
    return match.problem


def test_nobody_holds_an_identifier() -> None:
    assert judge(case("7", "a@x.com"), [customer("c1", "8", "b@x.com")], LADDER) is None


def test_the_first_rung_that_is_held_decides() -> None:
    assert found(judge(case("7", "a@x.com"), [customer("c1", "7", "b@x.com")], LADDER)) == "c1"


def test_a_lower_rung_matches_a_record_without_the_higher_identifier() -> None:
    assert found(judge(case("7", "a@x.com"), [customer("c1", None, "A@X.com")], LADDER)) == "c1"


def test_an_email_that_belongs_to_another_external_id_is_not_taken_over() -> None:
    match = judge(case("7", "a@x.com"), [customer("c1", "8", "a@x.com")], LADDER)
    text = "the record with this row's e-mail (c1) has another externalId"
    assert problem(match) == Reason(ReasonCode.OTHER_EXTERNAL_ID, text, "email")
    assert match is not None
    assert match.candidates == ("c1",)


def test_crossed_identifiers_match_nobody() -> None:
    match = judge(case("7", "a@x.com"), [customer("c1", "7"), customer("c2", None, "a@x.com")], LADDER)
    reason = problem(match)
    assert reason.code == ReasonCode.CROSSED
    assert "belong to different records in Kustomer: c1 and c2" in reason.text
    assert "a@x.com" not in reason.text


def test_two_candidates_match_nobody() -> None:
    match = judge(case(None, "a@x.com"), [customer("c1", None, "a@x.com"), customer("c2", None, "a@x.com")], LADDER)
    text = "more than one record in Kustomer has this row's e-mail: c1, c2"
    assert problem(match) == Reason(ReasonCode.AMBIGUOUS, text, "email")


def test_companies_of_one_name_are_ambiguous() -> None:
    match = judge(case(None, name="Acme"), [company("1", "Acme"), company("2", "Acme")], ("name",))
    assert problem(match).code == ReasonCode.AMBIGUOUS


def test_a_company_of_that_name_with_another_external_id_is_another_company() -> None:
    assert judge(case("A1", name="Acme"), [company("1", "Acme", "X9")], ("externalId", "name")) is None


@pytest.mark.parametrize("held", ["+1 (212) 555-0003", "12125550003", "+1.212.555.0003", "+12125550003"])
def test_a_phone_number_is_the_same_in_every_spelling(held: str) -> None:
    assert found(judge(case(None, phone="+12125550003"), [customer("c1", phone=held)], ("phone",))) == "c1"
