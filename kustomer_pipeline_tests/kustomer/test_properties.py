"""Whatever JSON arrives, the client answers or raises a KustomerError; nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kustomer_pipeline.kustomer import KustomerError
from kustomer_pipeline_tests.kustomer.kustomers import Blocking, client_of

KEYS = st.sampled_from(
    [
        "data",
        "id",
        "attributes",
        "relationships",
        "links",
        "next",
        "self",
        "href",
        "meta",
        "total",
        "totalPages",
        "page",
        "org",
        "company",
        "roles",
        "name",
        "emails",
        "email",
        "externalId",
        "externalIds",
        "tags",
        "updatedAt",
        "deleted",
        "deletedAt",
        "status",
        "results",
        "errors",
        "error",
        "_clientRef",
        "objectId",
        "batches",
        "complete",
        "completed",
        "source",
        "parameter",
        "code",
        "title",
        "detail",
        "rev",
    ]
) | st.text(max_size=3)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["c1", "7", "complete", "created", "error", "/v1/companies?page=2", "?page=3", "t1", "a@b.c"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)
CALLS: list[Callable[[Blocking], Any]] = [
    lambda client: client.token(),
    lambda client: client.get_many("customers", ["c1", "c2"]),
    lambda client: client.get_many("companies", ["c1", "c2"]),
    lambda client: client.look_up("customers", "email", "a@b.c"),
    lambda client: client.look_up("customers", "externalId", "7"),
    lambda client: client.look_up("companies", "name", "7"),
    lambda client: client.search("customers", "externalId", ["7", "c1"]),
    lambda client: client.walk("companies", max_pages=3),
    lambda client: client.walk("customers", {"email": {"a@b.c"}}, max_pages=3),
    lambda client: client.org_size("customers"),
    lambda client: client.org_size("companies"),
    lambda client: client.tag_holders("customers", "t1"),
    lambda client: client.tag_holders("companies", "t1"),
    lambda client: client.tags(),
    lambda client: client.create_tag("vip"),
    lambda client: client.submit_bulk("customers", "create", [{"_clientRef": "7"}]),
    lambda client: client.write_one("companies", "create", {"name": "Acme"}),
    lambda client: client.write_one("customers", "update", {"id": "c1", "name": "Jane"}),
    lambda client: client.bulk_results("b1", 2, 0.0, 3.0),
    lambda client: client.bulk_answer("b1", 2),
    lambda client: client.bulk_answer("b1"),
]


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=60)
@given(
    body=JSON | st.dictionaries(st.just("data"), JSON, min_size=1),
    status=st.sampled_from([200, 200, 200, 400, 404, 409]),
)
def test_any_answer_is_understood_or_refused(call: Callable[[Blocking], Any], body: Any, status: int) -> None:
    content = json.dumps(body).encode("utf-8", "surrogatepass")

    def app(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=content)

    with client_of(app) as client, suppress(KustomerError):
        call(client)


@given(value=st.text(max_size=30), field=st.sampled_from(["email", "phone", "externalId"]))
def test_any_identifier_stays_within_its_path_segment(value: str, field: str) -> None:
    seen: list[bytes] = []

    def app(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(404)

    with client_of(app) as client:
        assert client.look_up("customers", field, value) == []
    for path in seen:
        encoded = path.removeprefix(f"/v1/customers/{field}=".encode())
        assert encoded
        assert not set(encoded) & set(b"/?#+&= @:")
