"""Where an org's Kustomer lives (docs/kustomer.md section 1.1)."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from .errors import ConfigurationError

_REGIONS = {
    "us": "https://api.kustomerapp.com",
    "eu": "https://api.prod2.kustomerapp.com",
    "in": "https://api.prod4.kustomerapp.com",
}
REGION_OF_POD = {"prod1": "us", "prod2": "eu", "prod4": "in"}  # Kustomer's own names of the regions, in its answers
_ORG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ALLOWED = (
    "org (acme, if you sign in at acme.kustomerapp.com), region (us, eu or in) "
    "or base_url (https://acme.api.kustomerapp.com)"
)


def base_url_for(*, org: str | None = None, region: str | None = None, base_url: str | None = None) -> str:
    """The host to talk to, without a trailing slash and without /v1; exactly one argument must be given.

    Raises ConfigurationError, which names the parameter that is missing, superfluous or wrong.
    """
    given = {
        name: value.strip()
        for name, value in (
            ("org", org),
            ("region", region),
            ("base_url", base_url),
        )
        if value and value.strip()
    }
    if not given:
        raise ConfigurationError(f"which Kustomer to talk to is not set: set {_ALLOWED}")
    if len(given) > 1:
        raise ConfigurationError(f"{' and '.join(given)} are set: set only one of {_ALLOWED}")
    name, value = next(iter(given.items()))
    if name == "org":
        return _org_url(value)
    return _region_url(value) if name == "region" else _own_url(value)


def is_loopback(base_url: str) -> bool:
    """Whether the address is on this machine, where plain http does no harm."""
    host = urlsplit(base_url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _org_url(org: str) -> str:
    if not _ORG.fullmatch(org.lower()):
        raise ConfigurationError(
            "org is the bare name of the org (acme, if you sign in at acme.kustomerapp.com): "
            "letters, digits and hyphens. For a full address set base_url instead"
        )
    return f"https://{org.lower()}.api.kustomerapp.com"


def _region_url(region: str) -> str:
    if region.lower() not in _REGIONS:
        raise ConfigurationError("region is not a region of Kustomer's: set it to us, eu or in")
    return _REGIONS[region.lower()]


def _own_url(base_url: str) -> str:
    example = "such as https://acme.api.kustomerapp.com"
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # raises when it is not a number
    except ValueError:
        raise ConfigurationError(f"base_url is not an address {example}") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ConfigurationError(f"base_url must be an address {example}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(f"base_url must be a host and nothing else, {example}")
    if parts.path.rstrip("/") not in ("", "/v1"):
        raise ConfigurationError(f"base_url must have no path, {example}")
    url = f"{parts.scheme}://{parts.netloc}"
    if parts.scheme == "http" and not is_loopback(url):
        raise ConfigurationError(
            "base_url must start with https: plain http would show the API key to everybody "
            "on the way. It is allowed for a Kustomer on this machine only (localhost)"
        )
    return url
