"""Requests of any form, for whoever examines an org: under the same budget and with the same errors."""

import httpx
import pytest

import kustomer_pipeline.kustomer as k

from .kustomers import BASE_URL, Kustomer, client_of, customer, ok


def test_a_listener_hears_of_every_answer_also_of_refusals() -> None:
    heard: list[int] = []
    with client_of(lambda request: httpx.Response(404)) as client:
        client.probe.listen(lambda answer: heard.append(answer.status))
        with pytest.raises(k.NotFoundError):
            client.run(client.probe.read("/v1/customers/1", "/v1/customers/<id>", "customer.read"))
    assert heard == [404]


def test_what_is_asked_counts_and_errors_show_no_identifier() -> None:
    with client_of(lambda request: httpx.Response(400)) as client:
        with pytest.raises(k.BadRequestError) as caught:
            client.run(client.probe.read("/v1/customers/email=jane", "/v1/customers/email=…", "customer.read"))
        assert "jane" not in str(caught.value)
        assert client.usage.requests == 1


def test_a_write_is_sent_once() -> None:
    app = Kustomer(lambda request: httpx.Response(502))
    with client_of(app) as client, pytest.raises(k.AmbiguousWriteError):
        client.run(client.probe.write("PUT", "/v1/customers/1", {"name": "x"}, "customer.update"))
    assert len(app.requests) == 1


def test_it_knows_the_clients_address_and_reserve_and_asks_for_pages_as_a_walk_does() -> None:
    app = Kustomer(lambda request: ok([customer("c1")], meta={"total": 1, "pageSize": 100}))
    with client_of(app, rate_reserve=0.5) as client:
        assert (client.probe.base_url, client.probe.rate_reserve) == (BASE_URL, 0.5)
        assert client.run(client.probe.first_page("customers")).total == 1
    assert "sort=createdAt" in app.paths[0]
