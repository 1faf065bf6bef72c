"""The machine itself: the data folder, time zones, rendering of reports."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from medai.doctor.findings import Finding, ok, problem, warning
from medai.errors import MedaiError
from medai.infra.crypto import LinkSigner
from medai.kit.clock import utc_now
from medai.kit.days import DayRange
from medai.processing.links import SignedLinks
from medai.reports.content import build_content
from medai.reports.models import ReportClinic
from medai.reports.pdf import render_pdf
from medai.settings import Settings

_GIGABYTE = 1024**3
_SCARCE_BYTES = 5 * _GIGABYTE
_TOO_FEW_BYTES = _GIGABYTE // 2
_OPEN_TO_OTHERS = 0o077
_PRIVATE = ("files/files", "keys")


async def check_data_folder(settings: Settings) -> list[Finding]:
    """Writable, closed to other users, room left."""
    return await asyncio.to_thread(lambda: list(_folder(settings.data_dir)))


def _folder(folder: Path) -> Iterator[Finding]:
    check = "data_folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"probe")
        free = shutil.disk_usage(folder).free
    except OSError:
        yield problem(check, f"Папка {folder} недоступна для записи: дайте права или смените"
                             " MEDAI_DATA_DIR")  # fmt: skip
        return
    for name in _PRIVATE:
        inner = folder / name
        if inner.exists() and inner.stat().st_mode & _OPEN_TO_OTHERS:
            yield warning(check, f"Папка {inner} открыта другим пользователям: chmod 700")
    for key in sorted((folder / "keys").glob("[!.]*")) if os.access(folder, os.X_OK) else ():
        if key.stat().st_mode & _OPEN_TO_OTHERS:
            yield problem(check, f"Ключ {key} читают другие пользователи: chmod 600")
    room = f"свободно {free / _GIGABYTE:.1f} ГБ"
    if free < _TOO_FEW_BYTES:
        yield problem(check, f"Диск папки {folder} почти полон, {room}: освободите место")
    elif free < _SCARCE_BYTES:
        yield warning(check, f"На диске папки {folder} мало места, {room}: освободите место")
    else:
        yield ok(check, f"Папка {folder} доступна, {room}")


async def check_rendering() -> list[Finding]:
    """A report without calls, made in this process: templates and fonts are there."""
    try:
        pdf = await asyncio.to_thread(_empty_report)
    except (MedaiError, OSError, ImportError):
        return [problem("reports", "Отчёт PDF не строится: переустановите зависимости"
                                   " (pip install -r requirements.txt)")]  # fmt: skip
    return [ok("reports", f"Отчёт PDF строится, {len(pdf) // 1024} КБ")]


def _empty_report() -> bytes:
    today = utc_now().date()
    days = DayRange(today - timedelta(days=1), today)
    clinic = ReportClinic("doctor", "Проверка", ZoneInfo("Europe/Moscow"))
    links = SignedLinks("http://localhost/api", LinkSigner(secrets.token_urlsafe(48)))
    return render_pdf(build_content([], days, [clinic], created_at=utc_now(), links=links))
