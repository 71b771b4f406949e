"""Phone numbers → E.164. The phonenumbers library sees only distinct values that are not E.164 already.

A number with a plus says its country itself: it must be possible, and its digits stay what they are. A number without
one is read in the default region, and must be valid there: what could be two numbers, or none, is refused and never
made into one.
"""

from __future__ import annotations

import re

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from .reasons import ReasonCode, Refused, refuse

E164 = r"^\+[1-9][0-9]{6,14}$"
NOT_A_PHONE = "is not a phone number"
NEEDS_REGION = "is not a phone number (set default_region for national numbers)"

_E164 = re.compile(E164)
# Letters would be dialled as digits (1-800-FLOWERS), or be an extension that E.164 cannot hold.
_LETTERS = re.compile(r"[^\W\d_]")
_PLUS = re.compile(r"[+\uff0b]")
# A float's or an amount's text: the nought behind the dot would become a digit of the number.
_FRACTION = re.compile(r"\+?\d+[.,](?:0+|\d{1,2})")
_TRUNK_NOUGHT = re.compile(r"\(0\)")
_AT_ONCE = 50_000  # texts that are Python objects at the same time


def to_e164(values: pa.Array, default_region: str | None, refused: list[Refused]) -> pa.Array:
    """Trimmed text → E.164 text."""
    odd = pc.and_(values.is_valid(), pc.invert(pc.match_substring_regex(values, E164)))
    if not pc.any(odd).as_py():
        return values
    encoded = pc.filter(values, odd).dictionary_encode()
    different = encoded.dictionary
    parts = (different.slice(start, _AT_ONCE) for start in range(0, len(different), _AT_ONCE))
    converted = pa.concat_arrays([_all_normalised(part, default_region) for part in parts])
    values = pc.replace_with_mask(values, odd, converted.take(encoded.indices))
    text = NOT_A_PHONE if default_region else NEEDS_REGION
    return refuse(values, pc.and_(odd, values.is_null()), ReasonCode.NOT_PHONE, text, refused)


def _all_normalised(texts: pa.Array, region: str | None) -> pa.Array:
    return pa.array([_normalised(text, region) for text in texts.to_pylist()], pa.large_string())


def _normalised(text: str, region: str | None) -> str | None:
    if _LETTERS.search(text) or _FRACTION.fullmatch(text) or _is_range(text, region):
        return None
    number = _parsed(text, region)
    if number is None:
        return None
    if _PLUS.search(text):
        return _e164(number) if _keeps_its_digits(text, number) else None
    readings = {_e164(number) if phonenumbers.is_valid_number(number) else None, _without_its_plus(text, region)} - {
        None
    }
    # "491701234567" in Germany is a number of Leer (0491 701234567) and a mobile phone (+49 170 1234567): who knows?
    return readings.pop() if len(readings) == 1 else None


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    """The number of a possible length and without an extension that the text is, if it is one."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    length = phonenumbers.is_possible_number_with_reason(number)
    return None if number.extension or length != phonenumbers.ValidationResult.IS_POSSIBLE else number


def _e164(number: phonenumbers.PhoneNumber) -> str | None:
    text: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return text if _E164.match(text) else None


def _is_range(text: str, region: str | None) -> bool:
    """Whether a slash parts two numbers (030 1234567/68), and not an area code from its number (030/1234567)."""
    head, slash, tail = text.rpartition("/")
    if not slash:
        return False
    number = _parsed(head, region)
    return len(_digits(tail)) <= 2 or (number is not None and phonenumbers.is_valid_number(number))


def _keeps_its_digits(text: str, number: phonenumbers.PhoneNumber) -> bool:
    """Whether nothing was added or lost but the nought of the trunk, which is not dialled from abroad."""
    result = _e164(number)
    if result is None:
        return False
    if _digits(_TRUNK_NOUGHT.sub("", text)) == result[1:]:
        return True
    # +44 020 …, written without the brackets: a nought was lost, so what is left must be a number that exists.
    country = str(number.country_code)
    return _digits(text) == f"{country}0{result[1 + len(country) :]}" and phonenumbers.is_valid_number(number)


def _without_its_plus(text: str, region: str | None) -> str | None:
    """The number that the text is when it begins with the region's own country code, without the plus."""
    digits = _digits(text)
    code = phonenumbers.country_code_for_region(region) if region else 0
    number = _parsed(f"+{digits}", None) if code and digits.startswith(str(code)) else None
    if number is None or number.country_code != code or not phonenumbers.is_valid_number(number):
        return None
    return _e164(number)


def _digits(text: str) -> str:
    digits: str = phonenumbers.normalize_digits_only(text)
    return digits
