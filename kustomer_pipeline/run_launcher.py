"""Dagster's own run launcher, plus the question it does not ask: is the run's process still there?

    dagster.yaml → CheckedRunLauncher ─→ a process per run, as ever
                                      ↘ run monitoring: is the process of a STARTED run gone? then the run has failed

Without it, a run whose host was killed stays STARTED for ever: it shows as running in the UI, nobody is told, and
nothing tries it again. Named in dagster.yaml, and imported by nothing of ours.
"""

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value


class CheckedRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster does unless told otherwise, and can say whether one of them is still alive."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Asked by Dagster's run monitoring, about every run that is STARTED."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that started the run.

        A server notices by itself when a run's process dies. What it cannot notice is its own death: then nobody
        answers at its address, or a new one answers that does not know the run.
        """
        server = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call]  # Dagster's own
        if server is None:  # started by hand (dagster job execute): not ours to judge
            return CheckRunHealthResult(WorkerStatus.RUNNING, "not started by this launcher")
        try:
            answer = server.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=10)
        except DagsterUserCodeUnreachableError as error:
            if _too_slow(error):
                return CheckRunHealthResult(WorkerStatus.RUNNING, "the process that started the run is busy")
            return CheckRunHealthResult(WorkerStatus.FAILED, "the process that started the run is gone")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the process of the run is gone")


def _too_slow(error: DagsterUserCodeUnreachableError) -> bool:
    """Whether there is a server that only took too long: a run that works hard is not dead."""
    code = getattr(error.__cause__, "code", None)  # of a grpc.RpcError
    return callable(code) and getattr(code(), "name", None) == "DEADLINE_EXCEEDED"
