"""Paths as they may be shown: nobody's identifier gets through, whatever it looks like."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kustomer_pipeline.kustomer.paths import shown_path, template_of
from kustomer_pipeline_tests.conftest import REPOSITORY

ID, OTHER = "5f1a2b3c4d5e6f7a8b9c0d1e", "5f1a2b3c4d5e6f7a8b9c0d1f"
UUID = "0f0c6b1e-9d3a-4c5b-8a61-2f1f5a7f3c11"


@pytest.mark.parametrize(
    ("path", "template", "shown"),
    [
        ("/v1/auth/tokens/current", "/v1/auth/tokens/current", "/v1/auth/tokens/current"),
        ("/v1/customers/bulk", "/v1/customers/bulk", "/v1/customers/bulk"),
        (f"/v1/customers/{ID}", "/v1/customers/{id}", f"/v1/customers/{ID}"),
        (f"/v1/companies/{ID},{OTHER}", "/v1/companies/{ids}", "/v1/companies/<2 ids>"),
        ("/v1/customers/email=jane%40example.com", "/v1/customers/email={email}", "/v1/customers/email=…"),
        ("/v1/customers/phone=%2B12125550003", "/v1/customers/phone={phone}", "/v1/customers/phone=…"),
        ("/v1/customers/externalId=C%2F17", "/v1/customers/externalId={externalId}", "/v1/customers/externalId=…"),
        (f"/v1/bulk/{ID}/batches?page=2", "/v1/bulk/{bulk_id}/batches", f"/v1/bulk/{ID}/batches?page=2"),
        (
            "/v1/bulk/0f0c6b1e-9d3a-4c5b-8a61-2f1f5a7f3c11",
            "/v1/bulk/{bulk_id}",
            "/v1/bulk/0f0c6b1e-9d3a-4c5b-8a61-2f1f5a7f3c11",
        ),
        ("/v1/bulk/jane", "/v1/bulk/{bulk_id}", "/v1/bulk/…"),
        (
            "/v1/customers?sort=createdAt&page=3&pageSize=100",
            "/v1/customers",
            "/v1/customers?sort=createdAt&page=3&pageSize=100",
        ),
        ("/v1/companies?externalId=A-17&page=1", "/v1/companies", "/v1/companies?externalId=…&page=1"),
        ("/v1/companies?filter=Acme%20Inc", "/v1/companies", "/v1/companies?filter=…"),
        ("/v1/customers?after=jane%40example.com", "/v1/customers", "/v1/customers?…"),
        ("/v1/customers?page=jane", "/v1/customers", "/v1/customers?page=…"),
        ("/v1/customers/442071838750", "/v1/customers/{id}", "/v1/customers/…"),
        ("/v1/metadata/customer", "/v1/metadata/customer", "/v1/metadata/customer"),
        ("/v1/tags?deleted=false&page=1", "/v1/tags", "/v1/tags?deleted=false&page=1"),
    ],
)
def test_a_path_has_a_template_and_a_form_that_may_be_shown(path: str, template: str, shown: str) -> None:
    assert template_of(path) == template
    assert shown_path(path) == shown


def test_every_word_of_a_route_that_the_client_knows_is_let_through() -> None:
    """A new route would read /v1/{id} else, as harmless as it is useless."""
    routes: set[str] = set()
    for path in (REPOSITORY / "kustomer_pipeline" / "kustomer").glob("*.py"):
        routes |= set(re.findall(r'"(/v1/[^"?]+)', path.read_text(encoding="utf-8")))
    words = {word for route in routes for word in route.split("/") if re.fullmatch(r"[a-z-]+", word)}
    assert {"customers", "batches", "audit-logs"} <= words
    assert [word for word in sorted(words) if template_of(f"/v1/{word}") != f"/v1/{word}"] == []


_MARK = "Jane-7f3e"  # in every value, so that it can be looked for
_values = st.text(max_size=12).map(lambda text: f"{text}{_MARK}{text}")


@given(
    st.sampled_from(["/v1/customers/{}", "/v1/customers/email={}", "/v1/customers/x={}", "/v1/{}/customers", "/{}"]),
    st.sampled_from(["", "?page={}", "?filter={}&page=1", "?{}=1", "?a&{}", "?sort={}"]),
    _values,
    st.booleans(),
)
def test_no_value_gets_through_anywhere(route: str, query: str, value: str, encoded: bool) -> None:
    """Not even one that was forgotten to be encoded, as long as it is not Kustomer's id or a word of a route."""
    written = quote(value, safe="", errors="surrogatepass") if encoded else value
    path = (route + query).replace("{}", written)
    assert _MARK not in template_of(path)
    assert _MARK not in shown_path(path)
