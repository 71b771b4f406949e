"""Records written one by one: what goes out, and what is believed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import Kustomer, answers, body_of, client_of, customer, ok

RECORD = k.Record("customers", "c1", {"name": "Zoë"}, None, None, False)


@pytest.mark.parametrize(
    "object_name,operation,item,method,path,body",
    [
        ("customers", "create", {"name": "Zoë"}, "POST", "/v1/customers", {"name": "Zoë"}),
        ("customers", "update", {"id": "c1", "name": "Z"}, "PUT", "/v1/customers/c1", {"name": "Z"}),
        ("companies", "create", {"name": "Acme", "_clientRef": "a"}, "POST", "/v1/companies", {"name": "Acme"}),
        ("companies", "update", {"id": "a/b", "tags": []}, "PUT", "/v1/companies/a%2Fb", {"tags": []}),
    ],
)
def test_one_record_is_one_request_and_nothing_is_replaced_as_a_whole(
    object_name: Any, operation: Any, item: dict[str, Any], method: str, path: str, body: dict[str, Any]
) -> None:
    app = Kustomer(answers(ok(customer("c1", name="Zoë"))))
    with client_of(app) as client:
        record = client.write_one(object_name, operation, item)
    assert (record.id, record.attributes) == ("c1", {"name": "Zoë"})
    assert (app.requests[0].method, app.paths[0], body_of(app.requests[0])) == (method, path, body)


@pytest.mark.parametrize(
    "answer,error",
    [
        (httpx.Response(409), k.ConflictError),
        (httpx.Response(400), k.BadRequestError),
        (httpx.Response(404), k.NotFoundError),
        (httpx.Response(403), k.PermissionDeniedError),
        (httpx.Response(500), k.AmbiguousWriteError),
        (httpx.ReadTimeout("t"), k.AmbiguousWriteError),
        (httpx.Response(201, json={"ok": True}), k.AmbiguousWriteError),
        (httpx.Response(201), k.AmbiguousWriteError),
        (httpx.Response(201, json={"data": [customer("a"), customer("b")]}), k.AmbiguousWriteError),
    ],
)
def test_a_write_is_sent_once_and_what_is_not_certain_is_ambiguous(
    answer: httpx.Response | Exception, error: type[k.KustomerError]
) -> None:
    app = Kustomer(answers(answer))
    with client_of(app) as client, pytest.raises(error) as caught:
        client.write_one("customers", "create", {"name": "Zoë"})
    assert type(caught.value) is error
    assert len(app.requests) == 1


def test_an_update_without_an_id_is_a_mistake() -> None:
    with client_of(answers()) as client, pytest.raises(ValueError, match="needs the id"):
        client.write_one("customers", "update", {"name": "Zoë"})
