"""`python -m kustomer_pipeline.sandbox`: run a local Kustomer until it is stopped."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .fault_names import FAULTS
from .faults import Faults, UnknownFaultError
from .server import SandboxError, loopback_socket, make_server, url_of
from .state import SandboxState

_KEPT_REQUESTS = 1000


def make_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m kustomer_pipeline.sandbox")
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Its arguments, here and in `kustomer-pipeline sandbox`."""
    parser.description = "A local Kustomer org, in memory and offline. Every start is a new, empty org."
    parser.epilog = "Faults: " + ", ".join(sorted(FAULTS)) + ". docs/sandbox.md describes them."
    parser.add_argument("--port", type=int, default=8765, help="0 = any free port (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default: %(default)s)")
    parser.add_argument("--api-key", metavar="KEY", help="the API key to accept (default: a new random one)")
    parser.add_argument("--org", metavar="NAME", default="sandbox", help="the org's name (default: %(default)s)")
    parser.add_argument(
        "--job-seconds",
        type=float,
        default=1.0,
        metavar="S",
        help="how long a bulk job takes (default: %(default)s)",
    )
    parser.add_argument(
        "--rate-limit",
        type=int,
        default=1000,
        metavar="N",
        help="requests a minute for the org (default: %(default)s)",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="NAME[=VALUE]",
        help="misbehave; may be given several times. "
        "NAME[=VALUE][:times=N][:after=N][:probability=P][:method=M][:path=P]",
    )
    parser.add_argument(
        "--ready-file",
        type=Path,
        metavar="PATH",
        help="once it listens, write url, api_key, org and org_id here as JSON",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; the exit status."""
    return run(make_parser().parse_args(arguments))


def run(options: argparse.Namespace) -> int:
    """The same, the arguments read."""
    try:
        faults = Faults(options.fault)
        listener = loopback_socket(options.host, options.port)
    except (UnknownFaultError, SandboxError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    state = SandboxState(
        org_name=options.org,
        api_key=options.api_key,
        job_seconds=options.job_seconds,
        rate_limit=options.rate_limit,
        faults=faults,
        keep_requests=_KEPT_REQUESTS,
        keep_bodies=False,
    )
    url = url_of(listener)
    # uvicorn stops on either signal, and then raises it again: here it has nothing more to do.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: None)
    if options.ready_file is not None:
        _write_ready_file(options.ready_file, state, url)
    print(f"Kustomer sandbox at {url} (a page for people; the API is under /v1)")
    print(f"New, empty org {state.org_name!r}, id {state.org_id}. It is forgotten when this stops.")
    print(f"KUSTOMER_BASE_URL={url}")
    print(f"KUSTOMER_API_KEY={state.key.secret}")
    if options.fault:
        print(f"Faults: {', '.join(faults.describe())}")
    print("Stop it with Ctrl+C.", flush=True)
    make_server(state).run(sockets=[listener])
    return 0


def _write_ready_file(path: Path, state: SandboxState, url: str) -> None:
    """Whole or not at all, and for the owner only: it holds the key."""
    content = {"url": url, "api_key": state.key.secret, "org": state.org_name, "org_id": state.org_id}
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
