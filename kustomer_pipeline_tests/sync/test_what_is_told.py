"""What a report tells: numbers by the code of their reason, and no value of a row in any text."""

from __future__ import annotations

from kustomer_pipeline.mapping import FieldMapping
from kustomer_pipeline.sync import ReasonCode
from kustomer_pipeline_tests.world import World, audience, customers, members, people


def test_an_audience_of_which_nobody_is_in_kustomer(world: World) -> None:
    """Kustomer was loaded with other addresses: each run is green by its counts alone."""
    world.run(customers(), people(5))
    rows = [{"email": f"x{n}@example.com"} for n in range(20)]
    for _ in range(3):
        report = world.run(audience(), rows)
        assert (report.absent, report.counts.skipped, report.by_code) == (20, 20, {ReasonCode.NOT_IN_KUSTOMER: 20})
        world.hours_pass(0.2)


def test_rows_that_are_put_off_run_after_run(world: World) -> None:
    for _ in range(3):
        report = world.run(customers(), people(30), limit=0)
        assert (report.counts.deferred, report.by_code) == (30, {ReasonCode.BEYOND_LIMIT: 30})


def test_each_kind_of_reason_is_counted_apart(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-77", emails=[{"email": "p1@example.com"}])
    spec = customers(fields=(*customers().fields, FieldMapping("company", ("account",), match="externalId")))
    rows = people(6)
    rows[0]["email"] = "no address"
    rows[2]["account"] = "not there"
    report = world.run(spec, rows)
    assert report.by_code == {
        ReasonCode.INVALID: 1,
        ReasonCode.OTHER_EXTERNAL_ID: 1,
        ReasonCode.UNKNOWN_COMPANY: 1,
    }
    assert sum(report.by_code.values()) == report.rows["reason"].notna().sum()


def test_the_rows_refused_before_count_again_while_they_are_refused(world: World) -> None:
    world.sandbox.seed_customer(externalId="C-77", emails=[{"email": "p1@example.com"}])
    for _ in range(3):
        assert world.run(customers(), people(6)).by_code == {ReasonCode.OTHER_EXTERNAL_ID: 1}


# --- a run that may do only so much -------------------------------------------------------------------------------


def test_rows_that_were_refused_do_not_use_up_the_limit(world: World) -> None:
    for n in range(10):
        world.sandbox.seed_customer(externalId=f"other {n}", emails=[{"email": f"p{n}@example.com"}])
    world.run(customers(), people(10))
    rows = people(40)
    created = [world.run(customers(), rows, limit=10).counts.created for _ in range(3)]
    assert created == [10, 10, 10]
    last = world.run(customers(), rows, limit=10)
    assert (last.counts.rejected, last.counts.deferred, last.counts.unchanged) == (10, 0, 30)


# --- the same member twice ----------------------------------------------------------------------------------------


def test_a_valid_row_is_not_the_repeat_of_an_invalid_one(world: World) -> None:
    """Both are of one member, and only the first of them has a malformed phone number."""
    world.run(customers(), people(3))
    fields = (FieldMapping("email", ("email",)), FieldMapping("phone", ("phone",)))
    spec = audience(match_on=("email", "phone"), fields=fields, default_region="GB")
    rows = [{"email": "p0@example.com", "phone": "nonsense"}, {"email": "p0@example.com"}, *members(2, start=1)]
    report = world.run(spec, rows)
    assert report.rows["outcome"].tolist() == ["invalid", "updated", "updated", "updated"]
    assert "vip" in world.sandbox.tag_names(world.id_of("p0@example.com"))


def test_the_second_valid_row_of_a_member_is_a_repeat(world: World) -> None:
    world.run(customers(), people(2))
    report = world.run(audience(), [*members(2), *members(2)])
    assert report.rows["outcome"].tolist() == ["updated", "updated", "skipped", "skipped"]
    assert report.by_code == {ReasonCode.REPEATED: 2}


# --- what a reason may show ---------------------------------------------------------------------------------------


def test_reasons_mask_keys_as_the_key_column_does(world: World) -> None:
    """Two rows that are one customer name each other: an address is masked, an id of the warehouse is not."""
    world.sandbox.seed_customer(emails=[{"email": "p0@example.com"}, {"email": "p1@example.com"}])
    by_email = customers(match_on=("email",), fields=customers().fields[1:])
    report = world.run(by_email, people(2))
    assert report.counts.rejected == 2
    assert "example.com" not in " ".join(report.rows["reason"])
    assert "p…@….com" in " ".join(report.rows["reason"])


def test_an_external_id_that_looks_like_a_phone_number_is_shown_alike_in_key_and_reason(world: World) -> None:
    ids = ["+442071838750", "+442071838751"]
    world.sandbox.seed_customer(externalIds=[{"externalId": id_} for id_ in ids])
    report = world.run(customers(), [{**row, "id": id_} for row, id_ in zip(people(2), ids, strict=True)])
    assert report.counts.rejected == 2
    shown = report.refused()
    for key, reason in zip(shown["key"], shown["reason"].tolist()[::-1], strict=True):
        assert reason.endswith(f"as row {key}")


def test_kustomers_own_words_are_scrubbed(world: World) -> None:
    world.sandbox.faults.set("item_form_refused", "p1@example.com")
    report = world.run(customers(), people(3))
    assert report.counts.rejected == 1
    assert "p1@example.com" not in " ".join(report.rows["reason"].dropna())
