"""Law 5: two candidates, crossed identifiers, a duplicate in the frame: quarantined with the reason."""

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import SyncReport
from kustomer_pipeline_tests.world import COMPANY_FIELDS, World, companies, customers, people


def reasons(report: SyncReport) -> dict[str, str]:
    found = report.rows.dropna(subset="reason")
    return dict(zip(found["key"], found["reason"], strict=True))


def test_the_same_key_twice_in_the_frame(world: World) -> None:
    rows = [*people(2), {**people(1)[0], "email": "else@example.com"}]
    report = world.run(customers(), rows)
    assert ["invalid", "created", "invalid"] == report.rows["outcome"].tolist()
    assert 1 == len(world.sandbox.customers)


def test_the_same_email_twice_in_the_frame_in_another_spelling(world: World) -> None:
    rows = [*people(2), {"id": "C-9", "email": " P0@EXAMPLE.com"}]
    report = world.run(customers(), rows)
    assert ["invalid", "created", "invalid"] == report.rows["outcome"].tolist()
    assert "email is also on row key C-9" in reasons(report)["C-0"]
    assert "example.com" not in " ".join(reasons(report).values())


def test_identifiers_that_belong_to_two_customers(world: World) -> None:
    """externalId is one customer's, e-mail another's: neither is touched."""
    first = world.sandbox.seed_customer(externalId="C-0", name="first")
    second = world.sandbox.seed_customer(emails=[{"email": "p0@example.com"}], name="second")
    before = dict(world.sandbox.customers)
    report = world.run(customers(), people(1))
    assert 1 == report.counts.rejected
    assert first in reasons(report)["C-0"] or second in reasons(report)["C-0"]
    assert before == dict(world.sandbox.customers)


def test_an_email_that_is_known_under_another_external_id(world: World) -> None:
    other = world.sandbox.seed_customer(externalId="C-77", emails=[{"email": "p0@example.com"}], name="other")
    report = world.run(customers(), people(1))
    assert f"the record with this row's e-mail ({other}) has another externalId" == reasons(report)["C-0"]
    assert "other" == world.customer("C-77")["name"]


def test_two_rows_that_are_one_customer_in_kustomer(world: World) -> None:
    world.sandbox.seed_customer(emails=[{"email": "p0@example.com"}, {"email": "p1@example.com"}], name="one")
    spec = customers(match_on=("email",), fields=customers().fields[1:])
    report = world.run(spec, people(2))
    assert 2 == report.counts.rejected
    assert "the same record in Kustomer" in reasons(report)["p0@example.com"]
    assert ["one"] == [one["name"] for one in world.sandbox.customers.values()]


def test_companies_of_one_name(world: World) -> None:
    fields = COMPANY_FIELDS[1:]
    for _ in range(2):
        world.sandbox.seed_company(name="Acme")
    world.sandbox.seed_company(name="Acme Holdings")
    report = world.run(companies(match_on=("name",), fields=fields), [{"name": "Acme"}, {"name": "Acme Hold"}])
    assert ["rejected", "created"] == report.rows["outcome"].tolist()
    assert "more than one record in Kustomer has this row's name" in reasons(report)["Acme"]


def test_a_company_is_found_by_name_and_gets_its_external_id(world: World) -> None:
    id_ = world.sandbox.seed_company(name="Acme")
    report = world.run(companies(), [{"id": "A-1", "name": "Acme"}])
    assert 1 == report.counts.updated
    assert "A-1" == world.sandbox.companies[id_]["externalId"]


def test_a_phone_that_is_somebody_elses(world: World) -> None:
    other = world.sandbox.seed_customer(name="other", phones=[{"phone": "+442071838750"}])
    spec = customers(fields=(*customers().fields, FieldMapping("phone", ("phone",))))
    report = world.run(spec, [{**people(1)[0], "phone": "+44 20 7183 8750"}])
    assert f"its phone belongs to another record in Kustomer ({other})" in reasons(report)["C-0"]
    assert 1 == len(world.sandbox.customers)


def test_a_link_to_a_company_that_is_not_there(world: World) -> None:
    spec = customers(fields=(*customers().fields, FieldMapping("company", ("account",), match="externalId")))
    company = world.sandbox.seed_company(name="Acme", externalId="A-1")
    rows = [{**row, "account": account} for row, account in zip(people(3), ["A-1", "A-2", None], strict=True)]
    report = world.run(spec, rows)
    assert ["created", "rejected", "created"] == report.rows["outcome"].tolist()
    assert "Kustomer has no company with this externalId" in reasons(report)["C-1"]
    assert company == world.customer("C-0")["company"]


def test_an_email_that_changed_hands_since_last_time(world: World) -> None:
    """The warehouse gives one customer's address to another: the record that is known by it keeps it."""
    world.run(customers(), people(2))
    first, second = people(2)
    report = world.run(customers(), [{**first, "email": "new@example.com"}, {**second, "email": first["email"]}])
    assert ["updated", "rejected"] == report.rows["outcome"].tolist()
    assert "its email belongs to another record in Kustomer" in reasons(report)["C-1"]
    assert ["p1@example.com"] == [item["email"] for item in world.customer("C-1")["emails"]]


def test_an_email_that_changed_hands_to_somebody_new(world: World) -> None:
    world.run(customers(), people(1))
    newcomer = {**people(1)[0], "id": "C-9"}
    report = world.run(customers(), [newcomer])
    assert ["rejected"] == report.rows["outcome"].tolist()
    assert "has another externalId" in reasons(report)["C-9"]
    assert 1 == len(world.sandbox.customers)
