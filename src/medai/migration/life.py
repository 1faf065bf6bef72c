"""How far an old call is (contract 2.1, 5.1): transcript, note, failures, stage. Pure."""

import re
from datetime import datetime

from medai.calls.models import Call, CrmNote, Failure, Stage, Step, TranscriptSummary
from medai.migration.folder import is_base_name
from medai.migration.models import Raw
from medai.migration.values import is_true, moment, text, whole
from medai.transcription.formats import transcript_filename

OLD_SPEECH_MODEL = "scribe_v1"
"""Contract 5.3."""
LEFT = "left_by_upgrade"
"""The code of what the old system left undone."""
_LIMIT = "limit_exceeded"
_NOT_NOTED = "Прежняя система не отметила запись расшифровки в CRM: проверьте карточку сами"
_FAILED = "Прежняя система не расшифровала звонок: запустите расшифровку ещё раз"
_NO_MINUTES = "Прежней системе не хватило минут: запустите расшифровку ещё раз"
_STAMP = re.compile(r"_(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})\.txt$", re.ASCII)


def transcript_of(raw: Raw, call: Call) -> TranscriptSummary | None:
    """What lists show of a transcript that was made; its words come from the old file."""
    if text(raw.get("transcription_status")) != "success":
        return None
    name = text(raw.get("filename_transcription"))
    return TranscriptSummary(
        filename=name if is_base_name(name) else transcript_filename(call),
        model=OLD_SPEECH_MODEL,
        seconds=float(call.duration_seconds),
        utterances=0,
        roles_confidence=0.0,
        transcribed_at=made_at(name) or call.updated_at,
    )


def made_at(filename: str) -> datetime | None:
    """The moment in a transcript's name (contract 2.3); the containers' clock was UTC."""
    if not (found := _STAMP.search(filename)):
        return None
    return moment("{}-{}-{}T{}:{}:{}".format(*found.groups()))


def note_of(raw: Raw, call: Call) -> CrmNote | None:
    """The transcript's note in the CRM, if the old system says that it is there."""
    if not is_true(raw.get("amo_transcription_synced")):
        return None
    note_id = whole(raw.get("amo_transcription_note_id"))
    return CrmNote(
        note_ids=() if note_id is None else (note_id,),
        written_at=moment(raw.get("amo_transcription_synced_at")) or call.updated_at,
    )


def reached(call: Call) -> Stage:
    """The furthest stage that is done."""
    if call.analysis is not None:
        return Stage.ANALYSED
    if call.transcript is not None:
        return Stage.NOTED if call.crm_note else Stage.TRANSCRIBED
    return Stage.RECORDED if call.recording_url else Stage.DISCOVERED


def failures(raw: Raw, call: Call, now: datetime) -> dict[Step, Failure]:
    """Final failures: each waits for a person.

    A transcript without a mark may be in the CRM all the same (contract 6: a crash between two
    writes), and our own notes cannot be told from old ones: it is not sent.
    """
    found: dict[Step, Failure] = {}
    if call.transcript is None and was_refused(raw):
        no_minutes = text(raw.get("transcription_status")) == _LIMIT
        found[Step.RECORDING] = Failure(
            code=_LIMIT if no_minutes else LEFT,
            message=_NO_MINUTES if no_minutes else _FAILED,
            attempts=1,
            failed_at=call.updated_at,
            next_try_at=None,
        )
    return {**found, **left_undone(call, now)}


def left_undone(call: Call, now: datetime) -> dict[Step, Failure]:
    """A transcript whose note nobody has marked."""
    if call.transcript is None or call.crm_note is not None:
        return {}
    failure = Failure(code=LEFT, message=_NOT_NOTED, attempts=1, failed_at=now, next_try_at=None)
    return {Step.NOTE: failure}


def was_refused(raw: Raw) -> bool:
    """Whether the old system tried to transcribe the call and did not."""
    return text(raw.get("transcription_status")) in ("failed", _LIMIT)
