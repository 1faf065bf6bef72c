"""Rules of the upgrade: values in every old form, transcript files, names of files, scores."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from medai.infra.crypto import TextCipher
from medai.infra.documents import storable
from medai.migration import values
from medai.migration.calls import call
from medai.migration.clinics import clinic, telegram_ids
from medai.migration.folder import OldFolder, is_base_name
from medai.migration.models import Context, Converted, Refused
from medai.migration.report import shown_id
from medai.migration.transcript_text import utterances_of
from medai.transcription.models import Role

MOSCOW = ZoneInfo("Europe/Moscow")
AT = datetime(2026, 9, 1, 21, 30, tzinfo=UTC)
CONTEXT = Context(AT, MOSCOW, TextCipher("-" * 32))


@pytest.mark.parametrize(
    "written",
    [
        int(AT.timestamp()), AT.timestamp(), int(AT.timestamp()) * 1000,
        str(int(AT.timestamp())), AT, AT.replace(tzinfo=None), "2026-09-01T21:30:00Z",
        "2026-09-02T00:30:00+03:00", "2026-09-01 21:30:00", "01.09.2026 21:30:00",
        "01-09-2026 21:30", "2026.09.01 21:30", {"$date": "2026-09-01T21:30:00Z"},
        {"$date": int(AT.timestamp()) * 1000},
    ],
)  # fmt: skip
def test_a_moment_in_every_old_form(written: Any) -> None:
    assert values.moment(written) == AT


@pytest.mark.parametrize(
    "written", [None, "", "вчера", True, 0, -5, [], {}, 10**30, "0001-01-01", "99.99.2026"]
)
def test_what_is_no_moment(written: Any) -> None:
    assert values.moment(written) is None


@pytest.mark.parametrize(
    ("written", "day"),
    [
        (datetime(2026, 9, 5, tzinfo=UTC), date(2026, 9, 5)),
        (datetime(2026, 9, 4, 21, tzinfo=UTC), date(2026, 9, 5)),
        ("2026-09-05", date(2026, 9, 5)),
        ("05.09.2026", date(2026, 9, 5)),
        (None, None),
    ],
)
def test_a_shift_names_its_day(written: Any, day: date | None) -> None:
    assert values.day(written, MOSCOW) == day


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(95, 95), ("95", 95), (95.4, 95), ("1:35", 95), ("1:01:35", 3695), (-1, None), ("?", None)],
)
def test_a_duration_in_every_old_form(written: Any, seconds: int | None) -> None:
    assert values.seconds(written) == seconds


@pytest.mark.parametrize(
    ("written", "ids"),
    [(501, (501,)), ("501", (501,)), ([501, "502", 501], (501, 502)), (None, ()), ("", ())],
)
def test_owners_of_a_clinic(written: Any, ids: tuple[int, ...]) -> None:
    assert telegram_ids(written) == ids


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.datetimes() | st.builds(ObjectId),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(_anything)
def test_whatever_was_stored_can_be_kept(value: Any) -> None:
    kept = values.plain(value)
    assert storable(kept) == kept


_FIELDS = (
    "client_id", "note_id", "created_at", "created_date", "duration", "metrics", "phone",
    "call_type_id", "recommendations", "transcription_status", "filename_transcription",
    "amo_transcription_synced", "conversion_type", "lead_id", "processing_speed", "analysis_id",
    "telegram_ids", "last_reset_date", "monthly_limit_minutes", "conversion_config", "name",
)  # fmt: skip


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_FIELDS, _anything)))
def test_no_document_breaks_the_upgrade(fields: dict[str, Any]) -> None:
    for convert in (call, clinic):
        raw = {**fields, "_id": ObjectId("66" * 12)}
        found = convert(raw, CONTEXT)
        assert isinstance(found, Refused) or storable(found.document)


def test_scores_that_are_none_stay_aside() -> None:
    metrics = {"greeting": 11, "price": "8", "speech": 7.5, "tone": 4, "overall_score": 8}
    raw = {"_id": "a", "client_id": "c", "note_id": 1, "created_at": AT, "metrics": metrics,
           "call_type_id": 1}  # fmt: skip
    found = call(raw, CONTEXT)
    assert isinstance(found, Converted)
    assert found.document["analysis"]["scores"] == {"price": 8}
    assert found.document["legacy"]["metrics"] == {"greeting": 11, "speech": 7.5, "tone": 4}
    assert {"old_metric_names", "unreadable_scores"} <= set(found.oddities)


def test_the_day_is_that_of_the_call_in_the_clinics_zone() -> None:
    raw = {"_id": "a", "client_id": "c", "note_id": 1, "created_at": AT,
           "created_date_for_filtering": "2026-08-30"}  # fmt: skip
    found = call(raw, CONTEXT)
    assert isinstance(found, Converted)
    assert found.document["business_day"] == "2026-09-02"
    assert found.document["legacy"]["day"] == "2026-08-30"


def test_a_transcript_file_is_read_back() -> None:
    text = (
        "\ufeffТранскрипция звонка\nТелефон: +79000000001\n\n"
        "[00:00] Менеджер (Анна): Добрый день: слушаю\n\n[00:05] Клиент: Да\nи ещё\n\n"
        "[61:09] Участник (Speaker 4): Алло\n\n"
    )
    said = utterances_of(text, 3700)
    assert [(one.role, one.start_ms, one.end_ms, one.text) for one in said] == [
        (Role.ADMINISTRATOR, 0, 5_000, "Добрый день: слушаю"),
        (Role.PATIENT, 5_000, 3_669_000, "Да и ещё"),
        (Role.OTHER, 3_669_000, 3_700_000, "Алло"),
    ]
    assert said[2].speaker == "speaker_4"


@pytest.mark.parametrize("text", ["", "Ошибка транскрибации: 500", "Транскрипция звонка\n\n"])
def test_an_error_text_is_no_transcript(text: str) -> None:
    assert utterances_of(text, 60) == ()


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", "/etc/passwd", ".hidden", "x\x00", "C:x", "x" * 121],
)
def test_names_with_a_way_in_them(name: str) -> None:
    assert not is_base_name(name)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("x")
    folder = tmp_path / "data" / "transcription"
    folder.mkdir(parents=True)
    (folder / "link.txt").symlink_to(outside)
    (folder / "good.txt").write_text("x")
    old = OldFolder(tmp_path / "data")
    assert old.find("transcript", "link.txt") is None
    assert old.find("transcript", "../../secret.txt") is None
    assert old.read("transcript", "good.txt", 10) == b"x"
    assert old.read("transcript", "good.txt", 0) is None


def test_ids_made_of_names_are_not_printed() -> None:
    assert shown_id("66000001000000000000000a") == "66000001000000000000000a"
    assert "Анна" not in shown_id("admin_Анна Иванова")
