"""News as people read it. Pure. Counts, names, advice and a link: no value and no key of a row, no URL of a channel.

What is news of one sync at one moment is one message: a run that failed because of refused rows is told once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .changes import News
from .conditions import condition_of
from .wording import when

MAX_LINE = 1500  # of an advice; services cut longer messages off

_OVER = {
    "does_not_load": "it loads again",
    "run_failed": "runs succeed again",
    "held": "nothing is held any more",
    "refused_share": "few enough rows are refused again",
    "no_success": "a run has succeeded again",
    "budget_starved": "the request budget is enough again",
    "drift": "few enough records have drifted again",
}


@dataclass(frozen=True)
class Message:
    """What goes to one channel: the name of the variable that holds its URL."""

    channel: str
    kind: Literal["failure", "success", "info"]
    title: str
    body: str


def messages(
    channel: str, sync: str, told: Sequence[News], dagster_url: str | None
) -> list[tuple[Message, list[News]]]:
    """At most two: what is the matter, and what is over. Each with the news that it tells."""
    raised = [one for one in told if one.raised is not None]
    over = [one for one in told if one.raised is None]
    found = []
    if raised:
        found.append((_raised(channel, sync, raised, dagster_url), raised))
    if over:
        found.append((_over(channel, sync, over), over))
    return found


def trial(channel: str) -> Message:
    """What somebody sends to see whether a channel works."""
    return Message(
        channel,
        "info",
        "kustomer_pipeline: a trial",
        f"Alerts of kustomer_pipeline that go to {channel} arrive here. Nothing is the matter.",
    )


def _raised(channel: str, sync: str, told: Sequence[News], dagster_url: str | None) -> Message:
    parts = []
    for one in told:
        assert one.raised is not None
        said = "\n".join(_short(line.replace("**", "")) for line in one.raised.lines)
        head = f"{_capital(one.raised.title)}, since {when(one.since)}."
        parts.append(f"{head}\n{said}" if said else head)
    runs = dict.fromkeys(one.raised.run_id for one in told if one.raised is not None and one.raised.run_id)
    parts += [_link(run, dagster_url) for run in runs]
    titles = [one.raised.title for one in told if one.raised is not None]
    return Message(channel, "failure", f"Kustomer sync {sync}: {'; '.join(titles)}", "\n\n".join(parts))


def _over(channel: str, sync: str, told: Sequence[News]) -> Message:
    titles = [over_title(one.condition) for one in told]
    parts = [
        f"{_capital(title)}. It had been otherwise since {when(one.since)}."
        for title, one in zip(titles, told, strict=True)
    ]
    return Message(channel, "success", f"Kustomer sync {sync}: {'; '.join(titles)}", "\n\n".join(parts))


def over_title(condition: str) -> str:
    """What is said of a condition that is over."""
    check = condition.partition(":")[2]
    return f"the check {check} passes again" if check else _OVER[condition_of(condition)]


def _link(run_id: str, dagster_url: str | None) -> str:
    return f"Run: {dagster_url}/runs/{run_id}" if dagster_url else f"Run: {run_id}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"
