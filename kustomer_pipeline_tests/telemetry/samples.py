"""Attempts at requests as an observer hears of them."""

from __future__ import annotations

from kustomer_pipeline.kustomer import RequestAttempt, Work

NOON = 1_900_065_600.0  # 2030-03-18 12:00 UTC
DAY = 24 * 3600
WORK = Work("customers", "run-1", "run", lambda key: "@" in key)


def attempt(at: float = NOON, keys: tuple[str, ...] = ("C-1",), work: Work | None = WORK) -> RequestAttempt:
    return RequestAttempt(
        at=at,
        seconds=0.104,
        method="POST",
        template="/v1/customers/bulk",
        path="/v1/customers/bulk",
        host="acme.api.kustomerapp.com",
        status=201,
        error=None,
        failure=None,
        units=1,
        searches=0,
        number=2,
        retry="Kustomer answered 429",
        units_left=812,
        limit=1000,
        request_id="req-7",
        org_id="org-1",
        work=work,
        keys=keys,
    )
