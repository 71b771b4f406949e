"""Who may look at the page, and press its buttons: a person at this machine, not a page of the internet.

The sandbox listens on this machine only, but a browser on this machine also shows pages of the internet, and they can
send requests to it. A name of theirs that suddenly leads to 127.0.0.1 (DNS rebinding) is told by the Host header, a
form of theirs by the Origin header and by the token, which only somebody who could read the page knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Refusal:
    """Why a request to the page is not answered, for the person who made it."""

    text: str


@dataclass(frozen=True)
class Guard:
    """Judges the requests to the page of one running sandbox."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    """In every form of the page; new with every start."""

    def refuses_look(self, headers: Mapping[str, str], server: tuple[str, int | None]) -> Refusal | None:
        """Whether a request came to this very address, and from a page of this very address if from a page at all.

        `headers` have names in lower case; `server` is the address at which the sandbox was reached.
        """
        host = headers.get("host", "").lower()
        if not host or host not in _addresses(server):
            return Refusal(f"This page is shown at {_url(server)} only. Open it there.")
        if headers.get("origin", f"http://{host}").lower() != f"http://{host}":
            return Refusal("Another site asked for this page. Open it yourself, and do there what you want to do.")
        return None

    def refuses_form(self, token: str) -> Refusal | None:
        """Whether a form was not on a page that this sandbox has shown."""
        if secrets.compare_digest(token.encode(), self.token.encode()):
            return None
        return Refusal("This form is not of this sandbox, or from before it was started. Open the page again.")


def _addresses(server: tuple[str, int | None]) -> set[str]:
    """What a browser may call the sandbox: the address itself, or localhost."""
    host, port = server
    names = {f"[{host}]" if ":" in host else host, "localhost"}
    with_port = {name if port is None else f"{name}:{port}" for name in names}
    return with_port | names if port in (None, 80) else with_port


def _url(server: tuple[str, int | None]) -> str:
    host, port = server
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}" + (f":{port}" if port is not None else "")
