"""When a run fails, and what it then says.

Every failure here is final for the step: the engine has already retried what can be retried, and trying a
wrong key or a wrong column again changes nothing. The next run goes on where this one stopped.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from kustomer_pipeline.kustomer import AuthenticationError, KustomerError
from kustomer_pipeline.mapping import MappingError
from kustomer_pipeline.resources import KUSTOMER, in_variables, show_values
from kustomer_pipeline.sync import StateError, SyncReport, UndoError
from kustomer_pipeline.sync.wording import ROWS, part, quantity
from kustomer_pipeline.warehouse import WarehouseError

_PACKAGE = "kustomer_pipeline"
# Metadata of a failure.
ERROR = "error"
TO_TELL = "to_tell"
# Errors that are made without values of rows, and say what to do.
_OURS = (KustomerError, MappingError, StateError, UndoError, WarehouseError)


@contextmanager
def readable_failures(variables: str = KUSTOMER) -> Iterator[None]:
    """Turn errors into a failure that says what to do, without the exceptions behind them.

    variables: what the names of the org's environment variables begin with.

    Those may hold a row: a URL with somebody's e-mail address, the parameters of a statement, a value that did not
    convert. Of an error that nobody expected only its type and its place are told.
    """
    try:
        yield
    except (dg.Failure, dg.RetryRequested):
        raise
    except Exception as error:
        raise failure(error_text(error, variables), error) from None


def failure(description: str, error: Exception | None = None, example: str = "") -> dg.Failure:
    """A failure that is not tried again. `error`: what it is about; None when all is recorded, and not good enough.

    Its metadata hold what an alert may say of it outside of Dagster: the kind of the error, and the description if it
    is one of ours. `example` may name a row by its key, so it is shown in Dagster only.
    """
    metadata = {ERROR: type(error).__name__ if error is not None else ""}
    if error is None or isinstance(error, _OURS):
        metadata[TO_TELL] = description
    return dg.Failure("\n\n".join(filter(None, [description, example])), metadata=metadata, allow_retries=False)


def error_text(error: Exception, variables: str = KUSTOMER) -> str:
    """What an error of ours says, in the names of the environment variables; of any other its type and its place."""
    if not isinstance(error, _OURS):
        return _unexpected(error)
    text = in_variables(str(error), variables)
    if isinstance(error, AuthenticationError) and f"{variables}_API_KEY" not in text:
        return f"{text}\n\nThe key is read from {variables}_API_KEY."
    return text


def _unexpected(error: Exception) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    said = (
        f"It says: {error}"
        if show_values()
        else "What it says is left out, as it may quote a row; to see it, set KUSTOMER_SHOW_VALUES=1 and run again."
    )
    return (
        f"An error that nobody expected: {kind}, {_place(error)}. {said}\n\nNothing that was recorded is lost; the "
        "next run goes on where this one stopped. If it comes again, report it with the lines above."
    )


def _place(error: Exception) -> str:
    """Where it was raised, and which line of ours led there."""
    frames = list(traceback.walk_tb(error.__traceback__))
    places = [(str(frame.f_globals.get("__name__", "?")), line) for frame, line in frames]
    ours = [place for place in places if place[0].startswith(_PACKAGE)]
    named = [*ours[-1:], *places[-1:]]
    texts = dict.fromkeys(f"{module} line {line}" for module, line in named)
    return "in " + ", from ".join(reversed(texts)) if texts else "at an unknown place"


def reason_to_fail(report: SyncReport, max_failure_share: float) -> str | None:
    """Why a run that has been recorded is a failure all the same; None when it is none."""
    counts = report.counts
    if report.interrupted is not None:
        # An error speaks of its own request ("nothing was changed"): what the run has done before is said first.
        return (
            f"Stopped half-way: {_done(report)}.\n\nWhat stopped it: {error_text(report.interrupted)}\n\n"
            f"{part(counts.deferred, counts.read, *ROWS)} not reached. Nothing is lost: the next run continues with "
            "them."
        )
    if not report.adds_up:
        return (
            f"{quantity(counts.read, 'row was', 'rows were')} read but their outcomes do not add up to that. "
            "This is a mistake in the engine, not in the data: see the check rows_accounted_for, and report it."
        )
    if report.failure_share > max_failure_share:
        refused, of = report.failures
        return (
            f"{part(refused, of, *ROWS)} refused ({report.failure_share:.1%}), more than the "
            f"{max_failure_share:.1%} that max_failure_share allows. The others have been sent. The "
            "report lists refused rows and the reasons: correct them at the source, or allow more."
        )
    return None


def _done(report: SyncReport) -> str:
    """What had been done by then."""
    counts = report.counts
    done = {"created": counts.created, "updated": counts.updated, "untagged": report.removed}
    said = ", ".join(f"{count:,} {name}" for name, count in done.items() if count)
    if report.jobs_left:
        jobs = quantity(report.jobs_left, "bulk job", "bulk jobs")
        return (
            f"{said or 'nothing is known to be written'} before that; {jobs} had been sent of which nobody knows yet "
            "what came: Kustomer may have carried them out, and the next run collects it"
        )
    return f"{said} before that, and it stays so" if said else "nothing had been written before that"


def most_often(report: SyncReport) -> str:
    """The most frequent reason why rows were refused, for a run that went through; it may name the key of a row."""
    reasons = report.rows.loc[report.rows["outcome"].isin(["invalid", "rejected"]), "reason"].value_counts()
    if report.interrupted is not None or reasons.empty:
        return ""
    return f"Most often: {reasons.index[0]} ({int(reasons.iloc[0]):,} of them)."
