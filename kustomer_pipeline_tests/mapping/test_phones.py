"""Phone numbers: what is one number beyond doubt becomes E.164, everything else is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from .frames import mapped_column, objects

REFUSED = "phone is not a phone number"


@pytest.mark.parametrize("region", ["DE", "ID", "XK"])
def test_a_german_number_without_its_plus_never_gets_a_second_country_code(region: str) -> None:
    assert mapped_column("phone", objects("491701234567", 491701234567), default_region=region) == (
        [None, None],
        [REFUSED, REFUSED],
    )


@pytest.mark.parametrize(
    "region, text, number",
    [
        ("DE", "0170 1234567", "+491701234567"),
        ("DE", "030/12345678", "+493012345678"),
        ("DE", "0049 170 1234567", "+491701234567"),
        ("DE", "+49 (0)170 1234567", "+491701234567"),
        ("US", "(212) 555-0003", "+12125550003"),
        ("US", "12125550003", "+12125550003"),  # no number of the country, but one with its code
        ("ID", "6281234567890", "+6281234567890"),
        ("GB", "+1 (212) 555-0003", "+12125550003"),  # the plus says which country, not the region
        ("US", "+49 170 12345", "+4917012345"),  # with a plus a possible length is enough
    ],
)
def test_a_number_that_exists_in_its_region_is_converted(region: str, text: str, number: str) -> None:
    assert mapped_column("phone", objects(text), default_region=region) == ([number], [None])


@pytest.mark.parametrize(
    "region, text",
    [
        ("US", "491701234567"),  # another country's
        ("US", "0170 1234567"),
        ("US", "1234567890"),  # of the right length, but there is no such area
        ("US", "555-0003"),  # no area
        ("GB", "2079"),
        ("DE", "030 1234567/68"),
        ("DE", "030 1234567/8"),
        ("DE", "01701234567.0"),
        ("DE", "491701234567.0"),
        ("US", "2125550003.0"),
        ("US", "2125550003,00"),
        ("US", "+12125550003.0"),
    ],
)
def test_what_may_be_another_number_or_none_is_refused(region: str, text: str) -> None:
    assert mapped_column("phone", objects(text), default_region=region) == ([None], [REFUSED])


def test_a_float_column_holds_whole_numbers() -> None:
    cells = pd.Series([2125550003.0, None, 12125550004.0])
    assert mapped_column("phone", cells, default_region="US") == (["+12125550003", None, "+12125550004"], [None] * 3)
    assert mapped_column("phone", objects(2125550003.0, "n/a"), default_region="US")[0] == ["+12125550003", None]


def test_a_fraction_is_no_phone_number() -> None:
    assert mapped_column("phone", pd.Series([2125550003.5]), default_region="US") == ([None], [REFUSED])


@pytest.mark.parametrize("field", ["phones", "sharedPhones", "whatsapps"])
def test_numbers_in_lists_are_read_by_the_same_rules(field: str) -> None:
    values, why = mapped_column(
        field, objects('["0170 1234567"]', '["491701234567"]', "030 1234567/68"), default_region="DE"
    )
    assert values == ['[{"phone":"+491701234567"}]', None, None]
    assert why == [None, f"{field} item 1 phone is not a phone number", f"{field} is not a phone number"]
