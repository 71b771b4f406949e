"""Bulk jobs: handed in once, and believed item by item."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from kustomer_pipeline import kustomer as k
from kustomer_pipeline_tests.kustomer.kustomers import Kustomer, answers, body_of, client_of, ok

CREATED = {"_clientRef": "a", "objectId": "c1", "status": "created"}
REFUSED = {"_clientRef": "b", "status": "error", "error": "duplicate detected"}
RESULTS = {
    "a": k.ItemResult("a", "created", "c1", None),
    "b": k.ItemResult("b", "error", None, "duplicate detected"),
}
BATCH = {
    "status": "complete",
    "objectIds": ["c1"],
    "successCount": 1,
    "failureCount": 1,
    "results": [CREATED, REFUSED],
}


def job(status: str, **attributes: Any) -> httpx.Response:
    return ok({"type": "bulk", "id": "b1", "attributes": {"status": status, **attributes}})


@pytest.mark.parametrize(
    "object,operation,method,path",
    [
        ("customers", "create", "POST", "/v1/customers/bulk"),
        ("customers", "update", "PUT", "/v1/customers/bulk"),
        ("companies", "create", "POST", "/v1/companies/bulk"),
        ("companies", "update", "PUT", "/v1/companies/bulk"),
    ],
)
def test_a_job_is_handed_in_as_a_plain_list(object: Any, operation: Any, method: str, path: str) -> None:
    app = Kustomer(answers(httpx.Response(201, json={"data": {"type": "bulk", "id": "b1"}})))
    items = [{"_clientRef": "a", "name": "Zoë"}]
    with client_of(app) as client:
        assert client.submit_bulk(object, operation, items) == "b1"
    (request,) = app.requests
    assert (request.method, request.url.path, body_of(request)) == (method, path, items)
    assert len(request.content) == k.body_size(items)
    assert request.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "items",
    [
        [],
        [{"_clientRef": str(number)} for number in range(101)],
        [{"_clientRef": "a"}, {"_clientRef": "a"}],
        [{"_clientRef": "a"}, {"name": "x"}],
        [{"_clientRef": ""}],
        [{"_clientRef": "x" * 256}],
    ],
)
def test_a_job_that_could_not_be_followed_is_not_sent(items: list[dict[str, Any]]) -> None:
    app = Kustomer(answers())
    with client_of(app) as client, pytest.raises(ValueError, match="bulk request"):
        client.submit_bulk("customers", "create", items)
    assert app.requests == []


@pytest.mark.parametrize(
    "body",
    [
        [BATCH],
        {"data": [BATCH]},
        {"data": BATCH},
        BATCH,
        {"batches": [BATCH]},
        {"data": [{"type": "bulk_batch", "id": "x", "attributes": BATCH}]},
        {"data": {"type": "bulk_batch", "id": "x", "attributes": BATCH}, "links": None, "meta": 7},
        [{"type": "bulk_batch", "id": "x", "attributes": BATCH}],
        {"data": [{**BATCH, "results": [CREATED]}, {**BATCH, "results": [REFUSED, None, 7, {}]}]},
        {
            "data": [
                {
                    **BATCH,
                    "results": [CREATED],
                    "errors": [{"_clientRef": "b", "error": {"detail": "duplicate detected"}}],
                }
            ]
        },
        {"data": [{**BATCH, "status": None, "completedAt": "2026-01-01T00:00:00.000Z"}]},
        {"data": [{**BATCH, "results": [CREATED, {**REFUSED, "error": {"message": "duplicate detected"}}]}]},
        {
            "data": [
                {
                    **BATCH,
                    "results": [CREATED, {**REFUSED, "status": "ERROR", "error": ["duplicate detected"]}],
                }
            ]
        },
    ],
)
def test_batches_are_read_in_every_form_for_one_request(body: Any) -> None:
    app = Kustomer(answers(httpx.Response(200, json=body)))
    with client_of(app) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(True, RESULTS)
    assert app.paths == ["/v1/bulk/b1/batches"]


def test_batches_on_several_pages_are_all_read() -> None:
    first = ok([{**BATCH, "id": "x", "results": [CREATED]}], links={"next": "/v1/bulk/b1/batches?page=2"})
    second = ok([{**BATCH, "id": "y", "results": [REFUSED]}], links={"next": None})
    with client_of(answers(first, second)) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(True, RESULTS)


@pytest.mark.parametrize("first_page", [{"page": 1, "pages": 3, "count": 30, "limit": 10}, {"page": "1", "pages": "3"}])
def test_batches_that_come_in_pages_without_links_are_all_read(first_page: dict[str, Any]) -> None:
    refs = [f"r{number}" for number in range(30)]

    def app(request: httpx.Request) -> httpx.Response:
        page = int(dict(request.url.params).get("page", 1))
        results = [
            {"_clientRef": ref, "objectId": ref, "status": "created"} for ref in refs[page * 10 - 10 : page * 10]
        ]
        batch = {"type": "bulk_batch", "id": f"x{page}", "attributes": {"status": "complete", "results": results}}
        return ok([batch], meta={**first_page, "page": page} if page > 1 else first_page)

    kustomer = Kustomer(app)
    with client_of(kustomer) as client:
        answer = client.bulk_answer("b1", 30)
    assert answer.complete
    assert list(answer.results) == refs
    assert kustomer.paths == ["/v1/bulk/b1/batches", "/v1/bulk/b1/batches?page=2", "/v1/bulk/b1/batches?page=3"]


def test_without_results_the_items_of_a_complete_job_have_none_and_may_be_looked_up() -> None:
    batch = ok(
        [
            {
                "id": "x",
                "attributes": {"status": "complete", "objectIds": ["c1"], "errors": [{"id": "e1", "data": "no"}]},
            }
        ],
        meta={"page": 1, "pages": 1, "count": 1, "limit": 100},
    )
    with client_of(answers(batch, job("complete"), batch)) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(True, {})


def test_an_error_that_names_its_item_in_its_data_is_that_items_result() -> None:
    errors = [{"id": "e1", "data": {"_clientRef": "b", "error": "duplicate detected"}}]
    batch = ok([{"id": "x", "attributes": {"status": "complete", "errors": errors, "results": [CREATED]}}])
    with client_of(answers(batch)) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(True, RESULTS)


@pytest.mark.parametrize("status", ["queued", "scheduled", "running", "complete!"])
def test_a_batch_that_is_not_complete_keeps_the_job_open_with_the_results_so_far(status: str) -> None:
    app = Kustomer(answers(ok([{**BATCH, "results": [CREATED]}, {"status": status, "results": []}])))
    with client_of(app) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(False, {"a": RESULTS["a"]})
    assert len(app.requests) == 1


@pytest.mark.parametrize(
    "answer,complete",
    [
        (job("running"), False),
        (job("queued"), False),
        (job("failed"), False),
        (job("complete", batches={"complete": 1, "total": 2}), False),
        (job("complete", batches={"complete": 2, "total": 2}), True),
        (job("complete"), True),
        (ok({"id": "b1", "attributes": {"completed": True}}), True),
    ],
)
def test_fewer_results_than_expected_are_settled_by_the_job(answer: httpx.Response, complete: bool) -> None:
    one = {"data": [{**BATCH, "results": [CREATED]}]}
    late = {"data": [BATCH]}
    app = Kustomer(answers(httpx.Response(200, json=one), answer, httpx.Response(200, json=late)))
    with client_of(app) as client:
        found = client.bulk_answer("b1", 2)
    assert found == k.BulkAnswer(complete, RESULTS if complete else {"a": RESULTS["a"]})
    assert app.paths[:2] == ["/v1/bulk/b1/batches", "/v1/bulk/b1"]


def test_a_complete_job_may_leave_items_without_a_result() -> None:
    one = ok([{**BATCH, "results": [CREATED]}])
    with client_of(answers(one, job("complete"), one)) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(True, {"a": RESULTS["a"]})


def test_while_there_are_no_batches_the_job_is_asked_only_now_and_then() -> None:
    app = Kustomer(answers(ok([]), ok([]), ok([]), job("queued"), ok([]), job("complete"), ok([BATCH])))
    with client_of(app) as client:
        assert [client.bulk_answer("b1", 2).complete for _ in range(4)] == [False, False, False, True]
    assert len(app.requests) == 7


def test_batches_that_are_not_there_yet_are_asked_of_the_job() -> None:
    gone = httpx.Response(404)
    with client_of(answers(gone, job("running"), gone, job("complete"), ok([BATCH]))) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(False, {})
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(True, RESULTS)
    with client_of(answers(gone, job("complete"), gone)) as client:
        assert client.bulk_answer("b1", 2) == k.BulkAnswer(True, {})
    with client_of(answers(gone, gone)) as client, pytest.raises(k.NotFoundError):
        client.bulk_answer("b1", 2)


@pytest.mark.parametrize(
    "result,status,error",
    [
        ({"status": "updated", "objectId": "c1"}, "updated", None),
        ({"status": "Created", "objectId": None}, "created", None),
        ({"status": "error"}, "error", "refused without a reason"),
        ({"status": "failed", "error": {"title": "Bad", "detail": "name"}}, "error", "Bad: name"),
        ({"status": "error", "error": {"why": 1}}, "error", '{"why": 1}'),
        ({"error": "boom"}, "error", "boom"),
    ],
)
def test_an_items_result_is_read_leniently(result: dict[str, Any], status: str, error: str | None) -> None:
    with client_of(answers(ok([{"status": "complete", "results": [{"_clientRef": "a", **result}]}]))) as client:
        found = client.bulk_answer("b1", 1).results["a"]
    assert (found.status, found.error) == (status, error)


@pytest.mark.parametrize("result", [{"status": "skipped", "objectId": "c1"}, {"objectId": "c1"}, {"status": None}, {}])
def test_what_is_not_known_to_be_a_success_is_no_result(result: dict[str, Any]) -> None:
    batch = ok([{"status": "complete", "results": [{"_clientRef": "a", **result}]}])
    with client_of(answers(batch, job("complete"), batch)) as client:
        assert client.bulk_answer("b1", 1) == k.BulkAnswer(True, {})


def test_without_an_expected_number_the_batches_word_has_to_do() -> None:
    with client_of(answers(ok([BATCH]))) as client:
        assert client.bulk_answer("b1") == k.BulkAnswer(True, RESULTS)


def test_an_id_of_a_job_cannot_lead_elsewhere() -> None:
    app = Kustomer(lambda request: httpx.Response(404))
    with client_of(app) as client, pytest.raises(k.NotFoundError):
        client.bulk_answer("../customers?x", 1)
    assert app.paths[0] == "/v1/bulk/..%2Fcustomers%3Fx/batches"
