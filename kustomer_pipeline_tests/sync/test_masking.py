"""Personal data leaves the engine masked, whatever it looks like. Values of fields: test_masked_values.py."""

import pytest

from kustomer_pipeline.sync.masking import mask_key, mask_text, scrub, shown


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("jane@example.com", "j…@….com"),
        ("jané.o'neil+x@mail.example.co.uk", "j…@….uk"),
        ("Jane Roe", "J…"),
        ("+442071838750", "+…"),
        ("12 High Street @ St. James Park", "1…"),
        ("4111 1111 1111 1111 @ visa.12/27", "4…"),
        ("4111111111111111@12.27", "4…"),
        ("jane@example.com, 12 High Street", "j…"),
        ("c/o jane@example.com", "c…"),
        ("jane@example.com.", "j…"),
        ("@home", "@…"),
        ('[{"email": "jane@example.com"}]', "[…"),
        ("", ""),
    ],
)
def test_only_a_whole_address_is_shown_in_part(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    ("key", "masked"),
    [
        ("C-17", "C-17"),
        ("10000017", "10000017"),
        ("2024-0001-17", "2024-0001-17"),
        ("row:17", "row:17"),
        ("name=Acme", "name=Acme"),
        ("email=jane@example.com", "email=j…@….com"),
        ("phone=+442071838750", "phone=+…"),
        ("phone=12125550003", "phone=1…"),
        ("jane@example.com", "j…@….com"),
        ("+442071838750", "+…"),
        ("+44 20 7183 8750", "+…"),
        ("(212) 555-0003", "(…"),
        ("whatsapp:+442071838750", "w…"),
    ],
)
def test_a_key_of_an_unknown_field_is_masked_by_its_looks(key: str, masked: str) -> None:
    assert mask_key(key) == masked


def test_the_field_that_a_key_comes_from_decides() -> None:
    assert mask_key("+442071838750", personal=False) == "+442071838750"
    assert mask_key("12125550003", personal=True) == "1…"
    assert mask_key("email=jane@example.com", personal=True) == "email=j…@….com"


def test_other_peoples_words_are_scrubbed() -> None:
    said = "e-mail jane@x.com taken, phone +44 20 7183 8750, (212) 555-0003 and 12125550003"
    assert scrub(said) == "e-mail j…@….com taken, phone +…, (… and 1…"


def test_ids_of_kustomers_stay_in_other_peoples_words() -> None:
    said = "customer 5f1234567890123456789abc not found, 400"
    assert scrub(said) == said


def test_a_value_is_shown_as_text() -> None:
    assert shown(None) is None
    assert shown("Ann") == "Ann"
    assert shown([{"email": "é@x.com"}]) == '[{"email": "é@x.com"}]'
