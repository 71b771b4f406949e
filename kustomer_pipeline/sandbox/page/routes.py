"""The addresses of the page, and who makes what is shown there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from ..answers import Reply
from ..fault_names import FAULTS
from ..state import SandboxState
from .companies import companies_page, company_page
from .customers import customer_page, customers_page
from .fault_form import UnknownFormError, perform
from .faults import Rejected, faults_page
from .guard import Guard, Refusal
from .holders import HoldersBook
from .html import element
from .jobs import job_page, jobs_page
from .look import HEADERS
from .overview import overview_page
from .parts import framed, not_found
from .requests import request_page, requests_page
from .tags import tags_page
from .visit import Sheet, Visit

Server = tuple[str, int | None]

_LISTS: dict[str, Callable[[Visit], Sheet]] = {
    "": overview_page,
    "customers": customers_page,
    "companies": companies_page,
    "tags": tags_page,
    "jobs": jobs_page,
    "requests": requests_page,
    "faults": faults_page,
}
_SINGLE: dict[str, Callable[[Visit, str], Sheet]] = {
    "customers": customer_page,
    "companies": company_page,
    "jobs": job_page,
    "requests": request_page,
}
_FORM_LIMIT = 20_000


class Page:
    """Answers what a browser asks of the sandbox, other than the API."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._guard = Guard()
        self._holders = HoldersBook()

    @staticmethod
    def serves(method: str, path: str) -> bool:
        """Whether such a request is for the page, not for the API."""
        if method == "POST":
            return path == "/faults"
        return method in ("GET", "HEAD") and path[1:].split("/")[0] in _LISTS

    def show(self, path: str, query: str, headers: Mapping[str, str], server: Server) -> Reply:
        """What is at an address. `headers` have names in lower case; `server` is where the sandbox was reached."""
        refusal = self._guard.refuses_look(headers, server)
        if refusal is not None:
            return _refused(refusal)
        with self._state.lock:
            visit = self._visit(path, query, headers)
            return _reply(visit, _sheet(visit))

    def submit(self, path: str, body: bytes, headers: Mapping[str, str], server: Server) -> Reply:
        """Do what a form says: an answer that leads back to the page, or the form with what is wrong in it."""
        typed = dict(parse_qsl(body[:_FORM_LIMIT].decode("utf-8", "replace"), keep_blank_values=True))
        refusal = self._guard.refuses_look(headers, server) or self._guard.refuses_form(typed.get("token", ""))
        if refusal is not None:
            return _refused(refusal)
        name = typed.get("name", "")
        with self._state.lock:
            try:
                problems = perform(self._state.faults, typed)
            except UnknownFormError as error:
                return _refused(Refusal(f"{error}. Open the page again."), status=400)
            if problems:
                visit = self._visit(path, "", headers)
                return _reply(visit, faults_page(visit, Rejected(name, typed, problems)))
        return Reply(303, {**HEADERS, "Location": f"/faults#fault-{name}" if name in FAULTS else "/faults"})

    def _visit(self, path: str, query: str, headers: Mapping[str, str]) -> Visit:
        now = self._state.now()
        asked = dict(parse_qsl(query, keep_blank_values=True))
        address = f"http://{headers['host']}"
        return Visit(self._state, self._holders, now, path, address, self._guard.token, asked)


def _sheet(visit: Visit) -> Sheet:
    first, *rest = visit.path.removeprefix("/").split("/")
    if not rest:
        return _LISTS[first](visit)
    if first in _SINGLE and len(rest) == 1:
        return _SINGLE[first](visit, rest[0])
    return not_found("page")


def _reply(visit: Visit, sheet: Sheet) -> Reply:
    return Reply(sheet.status, dict(HEADERS), framed(visit, sheet).encode())


def _refused(refusal: Refusal, status: int = 403) -> Reply:
    text = element("p", refusal.text)
    return Reply(status, dict(HEADERS), f"<!doctype html><title>Refused</title>{text}".encode())
