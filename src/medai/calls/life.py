"""What is due for a call, and the status words old clients poll for. Pure."""

from collections.abc import Iterable
from datetime import datetime

from medai.calls.models import Call, Failure, Stage, Step
from medai.calls.standing import Facts

_AUDIO_STEPS = (Step.RECORDING, Step.TRANSCRIPTION)


def open_steps(call: Facts) -> tuple[Step, ...]:
    """Steps that the call still needs and that nothing but time or work stands before.

    Steps that failed for good are not among them.
    """
    return tuple(step for step in _wanted_steps(call) if not _is_final(call.failures.get(step)))


def due_steps(call: Facts, now: datetime) -> tuple[Step, ...]:
    """Open steps that may be tried at this moment."""
    return tuple(step for step in open_steps(call) if not _waits(call.failures.get(step), now))


def is_done(step: Step, call: Call) -> bool:
    """Whether the step's result is on the call, and nobody waits for a newer one."""
    if step is Step.ANALYSIS:
        return not lacks_analysis(call)
    results = {
        Step.RECORDING: call.audio,
        Step.TRANSCRIPTION: call.transcript,
        Step.NOTE: call.crm_note,
    }
    return results[step] is not None


def lacks_analysis(call: Facts) -> bool:
    """Whether the call has no analysis, or one that somebody wants replaced."""
    return call.analysis is None or call.analysis_again_at is not None


def is_settled(call: Facts) -> bool:
    """Whether nothing more will happen to the call without a new request or new CRM facts."""
    return not open_steps(call)


def transcription_status(call: Facts) -> str:
    """pending, processing, success, failed or limit_exceeded (contract 2.1, 1.2)."""
    if call.transcript is not None:
        return "success"
    failures = [call.failures[step] for step in _AUDIO_STEPS if step in call.failures]
    if any(failure.code == "limit_exceeded" for failure in failures):
        return "limit_exceeded"
    if any(_is_final(failure) for failure in failures):
        return "failed"
    # A wanted call whose recording is not known yet waits for the PBX: nothing is processing.
    return "processing" if call.transcription_requested_at and open_steps(call) else "pending"


def analyze_status(call: Facts) -> str:
    """pending, processing, success or failed (contract 1.3; the field is `analyze_status`)."""
    if not lacks_analysis(call):
        return "success"
    if _is_final(call.failures.get(Step.ANALYSIS)):
        return "failed"
    wanted = call.analysis_requested_at and call.transcript is not None
    return "processing" if wanted else "pending"


def _wanted_steps(call: Facts) -> Iterable[Step]:
    if call.skip_reason is not None or call.cancelled_at is not None:
        return
    if call.transcription_requested_at and call.transcript is None:
        if call.stage == Stage.RECORDED:
            yield Step.RECORDING
        elif call.stage == Stage.AUDIO_STORED:
            yield Step.TRANSCRIPTION
    if call.transcript is None:
        return
    if call.crm_note is None and call.origin == "amocrm":
        yield Step.NOTE
    if lacks_analysis(call) and call.analysis_requested_at:
        yield Step.ANALYSIS


def _is_final(failure: Failure | None) -> bool:
    return failure is not None and failure.next_try_at is None


def _waits(failure: Failure | None, now: datetime) -> bool:
    return bool(failure and failure.next_try_at and failure.next_try_at > now)
