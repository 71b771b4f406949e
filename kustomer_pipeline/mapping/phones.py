"""Phone numbers → E.164. The phonenumbers library sees only distinct values that are not E.164 already."""

from __future__ import annotations

import re

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from .problems import Problem, refuse

E164 = r"^\+[1-9][0-9]{6,14}$"
NOT_A_PHONE = "is not a phone number"
NEEDS_REGION = "is not a phone number (set default_region for national numbers)"

_E164 = re.compile(E164)
# Letters would be dialled as digits (1-800-FLOWERS), or be an extension that E.164 cannot hold.
_LETTERS = re.compile(r"[^\W\d_]")


def to_e164(values: pa.Array, default_region: str | None, problems: list[Problem]) -> pa.Array:
    """Trimmed text → E.164 text. Numbers need not be in service, but must have a possible length."""
    odd = pc.and_(values.is_valid(), pc.invert(pc.match_substring_regex(values, E164)))
    if not pc.any(odd).as_py():
        return values
    encoded = pc.filter(values, odd).dictionary_encode()
    known = [_normalised(text, default_region) for text in encoded.dictionary.to_pylist()]
    converted = pa.array(known, pa.large_string()).take(encoded.indices)
    values = pc.replace_with_mask(values, odd, converted)
    return refuse(values, pc.and_(odd, values.is_null()), NOT_A_PHONE if default_region else NEEDS_REGION, problems)


def _normalised(text: str, default_region: str | None) -> str | None:
    if _LETTERS.search(text):
        return None
    try:
        number = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or (
        phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        return None
    result: str = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return result if _E164.match(result) else None
