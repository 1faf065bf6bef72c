"""`medai call`: audio files from disk through checks, transcription, scoring and export."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from medai.analysis.models import CallAnalysis, CallType, CriterionScore
from medai.bootstrap import Application
from medai.calls.models import Call, Direction
from medai.cli.running import IncompleteError, console, errors, with_application
from medai.cli.working import work_until_settled
from medai.clinics.models import Clinic
from medai.errors import InvalidInputError, RecordingError
from medai.kit.days import DayRange, parse_day, zone
from medai.processing.own_recordings import OwnRecording
from medai.processing.requests import Progress
from medai.settings import Settings
from medai.transcription.formats import speaker_label, timecode

_MEGABYTE = 1024 * 1024
_DIRECTIONS = {"in": Direction.INBOUND, "out": Direction.OUTBOUND}
_MOMENT_FORMS = ("%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("call")(call)


def call(
    files: Annotated[list[Path], typer.Argument(help="записи: mp3, wav, ogg, m4a")],
    clinic: Annotated[str, typer.Option(help="название клиники")],
    phone: Annotated[str, typer.Option(help="телефон пациента")] = "",
    direction: Annotated[str, typer.Option(help="in — входящий, out — исходящий")] = "in",
    at: Annotated[str, typer.Option(help="когда был звонок: ДД.ММ.ГГГГ ЧЧ:ММ")] = "",
) -> None:
    """Расшифровать и оценить свои записи без CRM."""
    if direction not in _DIRECTIONS:
        raise typer.BadParameter("укажите in или out", param_hint="--direction")

    async def work(application: Application) -> None:
        known = await application.own_recordings.clinic(clinic)
        moment = _moment(at, known, application)
        draft = OwnRecording("", b"", phone, _DIRECTIONS[direction], moment)
        calls = [
            accepted
            for path in files
            if (accepted := await _accepted(application, known, draft, path)) is not None
        ]
        await _work(application, known, calls)
        shown = [await _show(application, accepted.id) for accepted in calls]
        if len(calls) < len(files) or not all(shown):
            raise IncompleteError("Готово не всё: причины выше, повторите команду позже")

    with_application(work, quiet=True)


async def _accepted(
    application: Application, clinic: Clinic, draft: OwnRecording, path: Path
) -> Call | None:
    """The stored call, or None after telling why the file cannot be used."""
    try:
        data = await asyncio.to_thread(read_recording, path, application.settings)
        recording = replace(draft, name=path.name, data=data)
        return await application.own_recordings.accept(clinic, recording)
    except OSError:
        errors.print(f"{path}: файл не читается, проверьте путь и права")
    except RecordingError as error:
        errors.print(f"{path}: {error.message}")
    return None


def read_recording(path: Path, settings: Settings) -> bytes:
    """The file's bytes. Raises OSError, RecordingError for what is no file or too large."""
    largest = settings.recordings_max_megabytes * _MEGABYTE
    if path.exists() and not path.is_file():
        raise RecordingError("это не файл, укажите запись разговора", final=True)
    if path.stat().st_size > largest:
        raise RecordingError(
            f"файл больше {settings.recordings_max_megabytes} МБ: сожмите запись", final=True
        )
    return path.read_bytes()


async def _work(application: Application, clinic: Clinic, calls: list[Call]) -> None:
    if not calls:
        return
    for accepted in calls:
        await application.requests.retry(accepted)
    days = [accepted.business_day for accepted in calls]
    with console.status("расшифровка и оценка…"):
        await work_until_settled(
            application, [clinic.client_id], DayRange(min(days), max(days)), _silent
        )
        await application.exports.export(clinic.client_id)


async def _show(application: Application, call_id: str) -> bool:
    """Print transcript and scorecard; tells whether both are there."""
    found = await application.calls.get(call_id)
    if found is None or found.transcript is None:
        for failure in found.failures.values() if found else ():
            errors.print(failure.message)
        return False
    transcript = await application.transcription.get(call_id)
    console.rule(f"Звонок {call_id}")
    for utterance in transcript.utterances:
        said = escape(utterance.text)
        console.print(
            f"[dim]{timecode(utterance.start_ms)}[/] {speaker_label(utterance, '')}: {said}"
        )
    analysis = await application.analysis.stored(call_id)
    if analysis is None:
        for failure in found.failures.values():
            errors.print(failure.message)
        return False
    _print_scorecard(analysis)
    return True


def _print_scorecard(analysis: CallAnalysis) -> None:
    if analysis.call_type is CallType.OTHER:
        console.print(f"Тип: {analysis.call_type.label}; такие звонки не оцениваются")
        return
    table = Table("критерий", "балл", "цитата", title=f"Тип: {analysis.call_type.label}", box=None)
    for criterion in analysis.criteria:
        table.add_row(criterion.name, _score(criterion), escape(_proof(criterion)))
    console.print(table)
    console.print(f"Итог: {analysis.overall:.1f} из 10".replace(".", ","))
    for number, advice in enumerate(analysis.recommendations, start=1):
        console.print(f"{number}. {escape(advice)}")


def _score(criterion: CriterionScore) -> str:
    if criterion.score is None:
        return "н/п"
    return f"{criterion.score}{' (проверить)' if criterion.needs_review else ''}"


def _proof(criterion: CriterionScore) -> str:
    if criterion.evidence:
        first = criterion.evidence[0]
        return f"{timecode(first.start_ms)} «{first.quote}»"
    known_from_crm = criterion.decided_by == "crm" and criterion.score is not None
    return "по данным CRM" if known_from_crm else ""


def _moment(text: str, clinic: Clinic, application: Application) -> datetime:
    """When the call was: the clinic's wall clock; now by default."""
    if not text:
        return application.clock()
    for form in _MOMENT_FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone(clinic.timezone))
        except ValueError:
            continue
    try:
        day = parse_day(text)
    except InvalidInputError as error:
        raise InvalidInputError("Время звонка: укажите ДД.ММ.ГГГГ ЧЧ:ММ") from error
    return datetime(day.year, day.month, day.day, 12, tzinfo=zone(clinic.timezone))


def _silent(_progress: Progress) -> None:
    """A status line is enough for a handful of files."""
