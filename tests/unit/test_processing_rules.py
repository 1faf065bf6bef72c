"""Progress of a period, statistics of a sync, signed links, jobs of steps."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.fixtures.clinic_day import NOON, failure, own_note, stored_call, transcript

from medai.calls.models import Audio, SkipReason, Stage, Step
from medai.crm.sync import SyncResult
from medai.processing.links import LINK_LIFE_DAYS, SignedLinks
from medai.processing.ports import Task
from medai.processing.requests import Progress, step_job
from medai.processing.syncs import statistics

ASKED: dict[str, Any] = {"transcription_requested_at": NOON, "analysis_requested_at": NOON}
AUDIO = Audio(
    file="audio/1.mp3", sha256="0" * 64, seconds=61, channels=1, distinct_channels=False,
    codec="mp3float", size_bytes=9,
)  # fmt: skip


def test_progress_counts_calls_by_what_they_have() -> None:
    progress = Progress()
    for call in (
        stored_call(1, stage=Stage.DISCOVERED, recording_url=None),
        stored_call(2, **ASKED),
        stored_call(3, stage=Stage.TRANSCRIBED, audio=AUDIO, transcript=transcript(), **ASKED),
        stored_call(4, stage=Stage.NOTED, transcript=transcript(), crm_note=own_note()),
    ):
        progress.add(call, NOON)
    assert (progress.total, progress.recorded, progress.transcribed) == (4, 3, 2)
    assert (progress.noted, progress.analysed, progress.settled) == (1, 0, 2)
    assert progress.working == 2
    assert (progress.waiting, progress.failed, progress.earliest) == ({}, {}, None)


def test_progress_tells_waiting_from_failed() -> None:
    progress = Progress()
    progress.add(stored_call(1, failures={Step.RECORDING: failure(15)}, **ASKED), NOON)
    progress.add(stored_call(2, failures={Step.RECORDING: failure(5)}, **ASKED), NOON)
    progress.add(stored_call(3, failures={Step.RECORDING: failure(None)}, **ASKED), NOON)
    assert progress.waiting == {"Сервис не отвечает": 2}
    assert progress.failed == {"Сервис не отвечает": 1}
    assert progress.earliest == NOON + timedelta(minutes=5)
    assert (progress.working, progress.settled) == (0, 1)


def test_a_wait_that_is_over_is_work() -> None:
    progress = Progress()
    call = stored_call(failures={Step.RECORDING: failure(5)}, **ASKED)
    progress.add(call, NOON + timedelta(minutes=5))
    assert (progress.working, progress.waiting, progress.earliest) == (1, {}, None)


def test_a_failure_of_a_step_that_nothing_asks_for_is_no_wait() -> None:
    progress = Progress()
    progress.add(stored_call(failures={Step.RECORDING: failure(5)}), NOON)
    assert (progress.waiting, progress.earliest, progress.settled) == ({}, None, 1)


def test_progress_of_clinics_adds_up() -> None:
    one, other, total = Progress(), Progress(), Progress()
    one.add(stored_call(1, failures={Step.RECORDING: failure(15)}, **ASKED), NOON)
    other.add(stored_call(2, failures={Step.RECORDING: failure(5)}, **ASKED), NOON)
    other.add(stored_call(3, failures={Step.RECORDING: failure(None)}, **ASKED), NOON)
    for part in (one, other, Progress()):
        total.join(part)
    assert (total.total, total.recorded, total.settled) == (3, 3, 1)
    assert total.waiting == {"Сервис не отвечает": 2}
    assert total.failed == {"Сервис не отвечает": 1}
    assert total.earliest == NOON + timedelta(minutes=5)


def test_statistics_in_the_words_of_old_clients() -> None:
    result = SyncResult(created=9, created_kept=4)
    reasons = [SkipReason.ZERO_DURATION] * 3 + [SkipReason.SHORT, SkipReason.DUPLICATE]
    for call in [stored_call(1)] * 6:
        result.count(call)
    for reason in [*reasons, SkipReason.NOTE_MISSING, SkipReason.NOTE_LINK]:
        result.count(stored_call(2, stage=Stage.SKIPPED, skip_reason=reason))
    assert statistics(result) == {
        "total_found": 13, "total_processed": 13, "saved_to_db": 4,
        "filtered_zero_duration": 3, "filtered_short_calls": 1,
        "filtered_note_links": 1, "filtered_duplicates": 1 + 2, "processing_errors": 1,
    }  # fmt: skip


class PlainSigner:
    """Shows what it was asked to sign."""

    def sign(self, path: str, *, expires_at: datetime) -> str:
        return f"until={expires_at:%Y-%m-%d}&for={path}"


def test_links_are_bound_to_the_file_and_the_calls_day() -> None:
    links = SignedLinks("https://medai.example/api/", PlainSigner())
    call = stored_call(audio=AUDIO, transcript=transcript())
    until = date(2026, 11, 19) + timedelta(days=LINK_LIFE_DAYS)
    path = "/transcriptions/79000000001_20261119_120000.txt/download"
    assert links.transcript_url(call) == (
        f"https://medai.example/api{path}?until={until:%Y-%m-%d}&for={path}"
    )
    assert links.recording_url(call).startswith(
        f"https://medai.example/api/calls/download/{call.id}?"
    )
    # A row that is written again must be the same row.
    later = call.model_copy(update={"updated_at": datetime(2027, 1, 1, tzinfo=UTC)})
    assert links.transcript_url(later) == links.transcript_url(call)


def test_there_are_no_links_to_nothing() -> None:
    links = SignedLinks("https://medai.example/api", PlainSigner())
    assert (links.transcript_url(stored_call()), links.recording_url(stored_call())) == ("", "")


def test_a_steps_job_carries_the_id_and_its_place() -> None:
    call = stored_call()
    job = step_job(call, Step.NOTE, priority=-3)
    args = {"call_id": call.id, "priority": -3}
    assert (job.task, job.args, job.priority, job.at) == (Task.NOTE, args, -3, None)
    assert job.key == job.lock == f"note:{call.id}"


def test_a_repetition_never_stands_in_the_way_of_a_job_for_now() -> None:
    call = stored_call()
    now, later = step_job(call, Step.NOTE), step_job(call, Step.NOTE, at=NOON)
    assert now.key != later.key != step_job(call, Step.NOTE, at=NOON + timedelta(days=1)).key
    assert now.lock == later.lock
