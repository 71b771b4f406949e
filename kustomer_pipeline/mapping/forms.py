"""Text in a form that has a name: addresses, domain names, ids. What is not in its form is null and refused."""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from . import phones
from .reasons import ReasonCode, Refused, refuse

_HOST_NAME = r"[\pL\pM\pN_-]+(?:\.[\pL\pM\pN_-]+)+"
# The specials of RFC 5322 only within quotes: a JSON list, a link or a bracketed address is not an address.
_EMAIL = rf"^(?:\"[^\"@\pZ\pC\\]+\"|[^@<>,;()\[\]{{}}:\\\"\pZ\pC]+)@{_HOST_NAME}$"
# RFC 3986 knows ASCII only; a strict uri check refuses anything else, so other characters must be %-encoded.
_HOST = r"(?:[A-Za-z0-9._~%!$&'()*+,;=-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_URL = (
    rf"^(?i:https?)://(?:[A-Za-z0-9._~%!$&'()*+,;=:-]*@)?{_HOST}"
    r"(?:[/?#](?:[A-Za-z0-9._~!$&'()*+,;=:@/?#\[\]-]|%[0-9A-Fa-f]{2})*)?$"
)
_ID = r"^[0-9a-f]{24}$"
# RFC 1123: letters, digits and hyphens within each part, and no number at the end, which would be an IP address.
_DOMAIN = r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$"
_NOT_ASCII = r"[^\x00-\x7f]"
_LONG_LOCAL_PART = r"^[^@]{65}"  # RFC 5321 allows 64

Check = Callable[[pa.Array, str | None, list[Refused]], pa.Array]
"""Trimmed text and the default region → text in the form."""


def within_local_part(values: pa.Array, refused: list[Refused]) -> pa.Array:
    """E-mail addresses whose part before the @ is no longer than RFC 5321 allows."""
    too_long = pc.match_substring_regex(values, _LONG_LOCAL_PART)
    return refuse(values, too_long, ReasonCode.TOO_LONG, "has more than 64 characters before the @", refused)


def _matching(pattern: str, code: ReasonCode, reason: str, *, lower: bool) -> Check:
    def check(values: pa.Array, default_region: str | None, refused: list[Refused]) -> pa.Array:
        # The capital I with a dot becomes two characters in small letters everywhere but in Arrow.
        values = pc.utf8_lower(pc.replace_substring(values, "\u0130", "i\u0307")) if lower else values
        wrong = pc.and_(values.is_valid(), pc.invert(pc.match_substring_regex(values, pattern)))
        return refuse(values, wrong, code, reason, refused)

    return check


def _domains(values: pa.Array, default_region: str | None, refused: list[Refused]) -> pa.Array:
    not_ascii = pc.match_substring_regex(values, _NOT_ASCII)
    reason = "has other characters than ASCII (write a domain name with such in its xn-- form)"
    values = refuse(values, not_ascii, ReasonCode.NOT_DOMAIN, reason, refused)
    return _ascii_domains(values, default_region, refused)


def _unchecked(values: pa.Array, default_region: str | None, refused: list[Refused]) -> pa.Array:
    return values


_ascii_domains = _matching(_DOMAIN, ReasonCode.NOT_DOMAIN, "is not a domain name", lower=True)
IN_FORM: dict[str, Check] = {
    "email": _matching(_EMAIL, ReasonCode.NOT_EMAIL, "is not an e-mail address", lower=True),
    "phone": phones.to_e164,
    "externalId": _unchecked,
    "url": _matching(
        _URL,
        ReasonCode.NOT_URL,
        "is not an http or https address (other than ASCII characters must be %-encoded)",
        lower=False,
    ),
    "id": _matching(_ID, ReasonCode.NOT_ID, "is not a Kustomer id (24 hex digits)", lower=True),
    "domain": _domains,
}
