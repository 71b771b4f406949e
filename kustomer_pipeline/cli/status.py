"""The command `status`: orgs and syncs, looked at and not touched → text or JSON."""

from __future__ import annotations

import argparse

from .org_status import OrgStatus, looked_at
from .project import opened
from .status_text import status_as_json, status_as_text
from .terminal import Terminal


def run(options: argparse.Namespace) -> int:
    """Look, and say. Raises CommandError where the project does not load."""
    terminal = Terminal()
    found: list[OrgStatus] = []
    with terminal.hearing_logs(), opened(options) as project:
        syncs = project.named(options.syncs)
        for broken in project.broken:
            terminal.tell((str(broken), "red"))
        with terminal.working("looking"):
            for org in dict.fromkeys(sync.resource_keys.kustomer for sync in syncs):
                of_org = [sync for sync in syncs if sync.resource_keys.kustomer == org]
                found += looked_at(project.uses(of_org[0]), of_org, options.runs)
        if options.json:
            terminal.say_json(status_as_json(found))
        else:
            for line in status_as_text(found, options):
                terminal.say(*line)
    return int(bool(project.broken))
