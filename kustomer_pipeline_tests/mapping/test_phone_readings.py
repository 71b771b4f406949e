"""Numbers without a plus in countries whose own numbers begin like their country code, and numbers with one."""

from __future__ import annotations

import pytest

from .frames import mapped_column, objects


def phone(text: str, region: str | None) -> str | None:
    values, _ = mapped_column("phone", objects(text), default_region=region)
    number: str | None = values[0]
    return number


@pytest.mark.parametrize(
    "text, region, number",
    [
        ("3931234567", "IT", "+393931234567"),
        ("9112345678", "IN", "+919112345678"),
        ("7012345678", "KZ", "+77012345678"),
        ("442079460206", "GB", "+442079460206"),
    ],
)
def test_digits_that_begin_like_the_country_code_are_converted_where_only_one_reading_exists(
    text: str, region: str, number: str
) -> None:
    assert phone(text, region) == number


@pytest.mark.parametrize("text, region", [("38344123456", "XK"), ("49 170 1234567", "DE")])
def test_where_both_readings_exist_nobody_guesses(text: str, region: str) -> None:
    assert phone(text, region) is None


@pytest.mark.parametrize(
    "text",
    ["+49 170 1234567/68", "+49 30 1234567/8", "030 1234567/030 7654321", "+442079460123/+442079460124"],
)
def test_two_numbers_in_one_cell_are_not_made_into_one(text: str) -> None:
    assert phone(text, "DE") is None


@pytest.mark.parametrize("region", [None, "DE"])
@pytest.mark.parametrize(
    "text, number",
    [
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+44 020 7946 0958", "+442079460958"),
        ("(+44) 20 7946 0958", "+442079460958"),
        ("\uff0b44 20 7946 0958", "+442079460958"),
        ("+39 06 1234567", "+39061234567"),
        ("+49 30/1234567", "+49301234567"),
    ],
)
def test_a_number_with_a_plus_keeps_its_digits_whatever_the_region(text: str, number: str, region: str | None) -> None:
    assert phone(text, region) == number


@pytest.mark.parametrize(
    "text", ["+44 12", "+44 2079 4601 1500 0000 0", "20+442079460958", "+999 555 0101 22", "+44 0170 1234567"]
)
def test_a_number_with_a_plus_that_cannot_be_or_would_lose_digits_is_refused(text: str) -> None:
    assert phone(text, "GB") is None
