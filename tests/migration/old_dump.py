"""An invented dump of the replaced system (contract 2), from a seed, with every oddity we know of;
beside each document, what it means. Nothing here uses the code that is tested.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bson import ObjectId

Doc = dict[str, Any]
MOSCOW = ZoneInfo("Europe/Moscow")
FIRST = datetime(2026, 9, 1, 4, 0, tzinfo=UTC)
DAYS = 30
CLINICS = (
    "0b1c2d3e-0000-4000-8000-000000000001",
    "0b1c2d3e-0000-4000-8000-000000000002",
    "0b1c2d3e-0000-4000-8000-000000000003",
)
STRANGE_CLINIC = "0b1c2d3e-0000-4000-8000-00000000000f"
SUBDOMAINS = dict(zip(CLINICS, ("romashka", "lotos", "iris"), strict=True))
TYPES = {1: "первичка", 2: "вторичка", 3: "перезвон", 4: "подтверждение", 5: "другое"}
KEYS = {
    1: "greeting patient_name needs_identification service_presentation clinic_presentation"
    " doctor_presentation appointment price expertise next_step patient_booking emotional_tone"
    " speech initiative clinic_address passport objection_handling",
    2: "greeting patient_name question_clarification expertise next_step patient_booking"
    " emotional_tone speech initiative objection_handling",
    3: "greeting patient_name appeal next_step speech initiative clinic_address passport"
    " objection_handling",
    4: "greeting patient_name appeal next_step speech initiative clinic_address passport"
    " objection_handling",
    5: "",
}
NAMES = ("Анна Иванова", "Мария Петрова", "Ольга Сидорова", "Неизвестный администратор")
SOURCES = ("Яндекс", "Сайт", "Неопределенный")


@dataclass(slots=True)
class Truth:
    """What a logical call is, however its documents look."""

    call_id: str
    client_id: str
    note_id: int | str
    started_at: datetime
    direction: str
    administrator: str
    source: str
    duration: int
    speed: int
    converted: bool
    status: str
    transcript_file: str | None
    synced: bool
    type_id: int | None
    scores: dict[str, int]
    overall: float
    recommendations: list[str]
    link: str
    shown_day: str
    is_copied: bool = False
    other_ids: list[str] = field(default_factory=list)

    @property
    def day(self) -> str:
        return f"{self.started_at.astimezone(MOSCOW):%Y-%m-%d}"

    @property
    def is_exported(self) -> bool:
        """Contract 3: transcribed, with recommendations and a type."""
        return self.status == "success" and bool(self.recommendations) and bool(self.type_id)


@dataclass(slots=True)
class Dump:
    """Documents by collection, and the truth by note."""

    collections: dict[str, list[Doc]] = field(default_factory=dict)
    calls: dict[tuple[str, str], Truth] = field(default_factory=dict)
    copies: int = 0
    unreadable: int = 0


def old_dump(size: int = 10_000, seed: int = 7) -> Dump:
    """`size` documents of calls, copies and unreadable ones included."""
    random, dump = Random(seed), Dump()
    documents: list[Doc] = []
    spare = size // 50
    for number in range(size - spare):
        document, truth = _call(random, number)
        documents.append(document)
        dump.calls[truth.client_id, str(truth.note_id)] = truth
    truths = list(dump.calls.values())
    by_note = {(d.get("client_id"), str(d.get("note_id"))): d for d in documents}
    while len(documents) < size:
        if len(documents) % 20 == 0:
            documents.append(_unreadable(random, len(documents)))
            dump.unreadable += 1
            continue
        truth = truths[random.randrange(len(truths))]
        original = by_note.get((truth.client_id, str(truth.note_id)))
        if original is None or truth.is_copied:
            continue
        truth.is_copied = True
        documents.append(_copy(random, original, truth))
        dump.copies += 1
    random.shuffle(documents)
    dump.collections = {"calls": documents, **_around(random)}
    return dump


def _call(random: Random, number: int) -> tuple[Doc, Truth]:
    client_id = random.choices((*CLINICS, STRANGE_CLINIC), (40, 30, 29, 1))[0]
    started = FIRST + timedelta(
        days=random.randrange(DAYS), seconds=random.randrange(20 * 3600)
    )  # up to 03:00 of the next day in Moscow
    status = random.choices(
        ("success", "failed", "pending", "processing", "limit_exceeded", "absent", "null"),
        (60, 6, 10, 5, 5, 7, 7),
    )[0]
    type_id = None
    if status == "success" and random.random() < 0.85:
        type_id = random.choices((1, 2, 3, 4, 5), (40, 20, 15, 15, 10))[0]
    scores = {key: random.randint(0, 10) for key in KEYS.get(type_id or 5, "").split()}
    document: Doc = {"_id": _id(random, number)}
    truth = Truth(
        call_id=str(document["_id"]), client_id=client_id, note_id=1_000_000 + number,
        started_at=started, direction=random.choice(("Входящий", "Исходящий", "Неизвестно")),
        administrator=random.choice(NAMES), source=random.choice(SOURCES),
        duration=random.randint(6, 600), speed=random.choice((0, 5, 30)),
        converted=random.random() < 0.3, status=status, transcript_file=None,
        synced=False, type_id=type_id, scores=scores,
        overall=round(sum(scores.values()) / len(scores), 1) if scores else 0.0,
        recommendations=[f"Совет {number}", "Назовите клинику"] if scores else [],
        link=f"https://pbx.example.ru/r/{number}.mp3", shown_day="",
    )  # fmt: skip
    document |= _facts(random, truth, number) | _note(random, truth, number)
    document |= _times(random, truth) | _life(random, truth, number)
    if type_id is not None:
        document |= _analysis(random, truth, number)
    else:
        document["metrics"] = {"conversion": truth.converted}
    if truth.converted:
        document["conversion_type"] = "Первичные -> Записались"
    if number % 9 == 0:
        document |= {
            "call_category": "старое", "enriched_by": "backfill",
            "trace": [1, {"ref": ObjectId(f"{number:024x}")}],
        }  # fmt: skip
    return document, truth


def _id(random: Random, number: int) -> Any:
    known = f"{0x66000000 + number:08x}{number:016x}"
    kind = random.choices(("object", "hex", "words"), (75, 20, 5))[0]
    return ObjectId(known) if kind == "object" else known if kind == "hex" else f"call_{number}"


def _facts(random: Random, truth: Truth, number: int) -> Doc:
    phone = f"+7900000{number % 100:04d}"
    minutes = f"{truth.duration // 60}:{truth.duration % 60:02d}"
    speeds = {0: "0 мин", 5: "5-10 мин", 30: "30-1 час"}
    known = truth.administrator != NAMES[-1]
    facts: Doc = {
        "client_id": truth.client_id, "subdomain": SUBDOMAINS.get(truth.client_id, "strange"),
        "administrator": truth.administrator if known else random.choice(
            ("Неизвестный", "Неизвестный администратор", None)),
        "source": truth.source if truth.source != SOURCES[-1] else random.choice(
            ("Неопределенный", "", None)),
        "processing_speed": truth.speed, "processing_speed_str": speeds[truth.speed],
        "call_direction": truth.direction if truth.direction != "Неизвестно" else random.choice(
            ("Неизвестно", None)),
        "duration_formatted": minutes, "phone": phone if number % 7 else "Неизвестно",
        "call_link": truth.link, "lead_id": 500_000 + number % 900, "lead_name": "Сделка",
        "contact_id": 700_000 + number % 900 if number % 5 else None,
        "contact_name": random.choice(("Неизвестный контакт", "Без имени", "Пациент")),
        "amocrm_user_id": 11,
    }  # fmt: skip
    facts |= random.choice(
        ({"duration": truth.duration}, {"duration": str(truth.duration)}, {},
         {"duration": float(truth.duration)})
    )  # fmt: skip
    if number % 40 == 0:
        facts["responsible_user_id"] = facts.pop("amocrm_user_id")
    return facts


def _note(random: Random, truth: Truth, number: int) -> Doc:
    form = random.choices(("int", "text", "event", "none"), (94, 4, 1.5, 0.5))[0]
    if form == "event":
        truth.note_id = f"01hf{number:08d}ev"
        return {"note_id": truth.note_id, "event_id": truth.note_id}
    if form == "none":
        truth.note_id = f"old-{truth.call_id}"
        return {"note_id": None}
    return {"note_id": truth.note_id if form == "int" else str(truth.note_id)}


def _times(random: Random, truth: Truth) -> Doc:
    at, local = truth.started_at, truth.started_at.astimezone(MOSCOW)
    shown = at if random.random() < 0.7 else at + timedelta(days=random.choice((-2, 1, 3)))
    truth.shown_day = f"{shown:%Y-%m-%d}"
    recorded = at + timedelta(hours=5)
    times: Doc = {
        "created_date_for_filtering": truth.shown_day,
        "recorded_at": recorded,
        "updated_at": recorded + timedelta(minutes=3),
        "created_date": f"{at:%Y-%m-%d %H:%M:%S}",
    }
    if random.random() < 0.5:
        times["created_date_iso"] = local.isoformat()
    seconds = int(at.timestamp())
    form = random.choices(
        ("int", "ms", "text", "bson", "iso", "only_date", "dotted", "json"),
        (80, 3, 3, 4, 4, 3, 2, 1),
    )[0]
    if form in ("only_date", "dotted"):
        times.pop("created_date_iso", None)
        if form == "dotted":
            times["created_date"] = f"{at:%d.%m.%Y %H:%M:%S}"
        return times
    forms: Doc = {
        "int": seconds, "ms": seconds * 1000, "text": str(seconds), "bson": at,
        "iso": f"{at:%Y-%m-%dT%H:%M:%S}Z", "json": {"$date": f"{at:%Y-%m-%dT%H:%M:%S}Z"},
    }  # fmt: skip
    return {**times, "created_at": forms[form]}


def _life(random: Random, truth: Truth, number: int) -> Doc:
    if truth.status == "absent":
        truth.status = "pending"
        return {}
    if truth.status == "null":
        truth.status = "pending"
        return {"transcription_status": None}
    life: Doc = {"transcription_status": truth.status}
    name = f"7900000{number % 100:04d}_{truth.started_at:%Y%m%d}_{number % 240000:06d}.txt"
    if truth.status in ("success", "processing"):
        life |= {
            "filename_audio": f"lead_{500_000 + number % 900}_note_{truth.note_id}.mp3",
            "filename_transcription": name,
        }
    if truth.status == "failed":
        life["transcription_error"] = "boom"
    if truth.status == "success":
        truth.transcript_file = name
        truth.synced = random.random() < 0.7
        if truth.synced:
            life |= {
                "amo_transcription_synced": True, "amo_transcription_note_id": 9_000_000 + number,
                "amo_transcription_synced_at": truth.started_at + timedelta(hours=6),
            }  # fmt: skip
    if truth.status == "processing":
        truth.status = "pending"  # a restart left it so for ever (contract 5.1)
    return life


def _analysis(random: Random, truth: Truth, number: int) -> Doc:
    assert truth.type_id is not None
    file = (
        f"+7900000{number % 100:04d}_{truth.started_at:%Y%m%d}_{number % 240000:06d}_analysis.txt"
    )
    metrics: Doc = {
        key: score if random.random() < 0.9 else random.choice((float(score), str(score)))
        for key, score in truth.scores.items()
    }
    metrics |= {
        "overall_score": truth.overall, "conversion": truth.converted,
        "call_type_classification": TYPES[truth.type_id],
    }  # fmt: skip
    if number % 15 == 0:
        metrics |= {"tone": 7, "customer_satisfaction": 8, "call_closing": 9}
    analysed: Doc = {
        "metrics": metrics, "recommendations": truth.recommendations,
        "analyzed_at": truth.started_at + timedelta(hours=7), "analyze_status": "success",
        "call_type_id": truth.type_id, "call_type_name": TYPES[truth.type_id],
        "analysis_id": file,
    }  # fmt: skip
    if number % 20 == 0:
        analysed |= {"analysis_id": str(ObjectId(f"{number:024x}")), "analysis": file}
    if number % 25 == 0:
        analysed["call_type_id"] = str(truth.type_id)
    elif number % 25 == 1:
        del analysed["call_type_id"]
    return analysed


def _copy(random: Random, original: Doc, truth: Truth) -> Doc:
    """A second document of the note, poorer than the first but perhaps with its CRM mark."""
    kept: Doc = {
        name: original[name]
        for name in ("client_id", "note_id", "created_date", "created_at", "call_link", "duration")
        if name in original
    }
    copy: Doc = {**kept, "transcription_status": "pending", "recorded_at": truth.started_at}
    if isinstance(kept.get("note_id"), int) and random.random() < 0.3:
        copy["note_id"] = str(kept["note_id"])
    if random.random() < 0.1 and isinstance(original["_id"], ObjectId):
        copy["_id"] = str(original["_id"])  # the same id in the other type
    else:
        copy["_id"] = ObjectId(
            f"{0x77000000 + len(truth.call_id):08x}{random.randrange(1 << 62):016x}"
        )
        truth.other_ids.append(str(copy["_id"]))
    if truth.status == "success" and not truth.synced and random.random() < 0.5:
        copy |= {"amo_transcription_synced": True, "amo_transcription_note_id": 9_500_000}
        truth.synced = True
    return copy


def _unreadable(random: Random, number: int) -> Doc:
    if number % 40:
        return {"_id": f"broken-{number}", "client_id": CLINICS[0], "note_id": number, "phone": "?"}
    return {
        "_id": ObjectId(f"{0x55 + number:024x}"),
        "note_id": number,
        "created_at": 1_790_000_000,
    }


def _around(random: Random) -> dict[str, list[Doc]]:
    made = datetime(2025, 3, 1, 9, tzinfo=UTC)
    old_id = ObjectId("65e000000000000000000002")
    clinics: list[Doc] = [
        {
            "_id": "clinic-uuid-1", "name": "Ромашка", "client_id": CLINICS[0],
            "amocrm_subdomain": "romashka", "client_secret": "secret-1", "telegram_ids": 501,
            "redirect_url": "https://old.example.ru/", "amocrm_pipeline_id": 77,
            "monthly_limit": 100, "current_month_usage": 41, "monthly_limit_minutes": 2000,
            "weekly_limit_minutes": 500, "current_month_minutes": 12.5,
            "current_week_minutes": 3.25, "last_reset_date": "2026-09-01T00:00:00",
            "last_week_reset_date": "2026-09-28T00:00:00", "admin_detection_method": "ai_schedule",
            "datalens_dashboard_url": "https://datalens.yandex/1", "administrator_ids": ["a"],
            "conversion_config": {
                "primary": {"pipeline_id": 1, "pipeline_name": "Первичные", "status_id": 2,
                            "status_name": "Записались"},
                "auto_detected": True, "detected_at": "2026-01-01T00:00:00",
                "manually_overridden": True},
            "created_at": "2025-03-01T09:00:00", "updated_at": "2026-09-01T09:00:00",
        },
        {
            "_id": old_id, "name": "Лотос", "client_id": CLINICS[1], "amocrm_subdomain": "lotos",
            "client_secret": "secret-2", "telegram_ids": [502, "503"], "created_at": made,
            "updated_at": made, "auth_code": "used", "efficiency_settings": {"overall": {}},
        },
        {
            "_id": "clinic-uuid-3", "clinic_name": "Ирис", "client_id": CLINICS[2],
            "amocrm_subdomain": "iris", "telegram_ids": "504", "conversion_config": {"x": 1},
        },
        {
            "_id": "clinic-uuid-3-again", "name": "Ирис", "client_id": CLINICS[2],
            "amocrm_subdomain": "iris", "client_secret": "secret-3", "telegram_ids": [505],
            "updated_at": made,
        },
        {"_id": "no-client", "name": "Ничья"},
    ]  # fmt: skip
    midnight = datetime(2026, 9, 5, tzinfo=UTC)
    shift: Doc = {
        "clinic_id": CLINICS[0], "date": midnight, "first_name": "Анна", "last_name": "Иванова",
        "created_at": made,
    }  # fmt: skip
    week: Doc = {
        "client_id": CLINICS[0], "start_date": "2026-09-07", "end_date": "2026-09-13",
        "analysis_data": {"summary_points": ["Точка"], "overall_summary": "# Итог\n\nХорошо"},
        "avg_scores": {"greeting": 8.5, "price": 4}, "summary_analyze_status": "success",
        "classification": {"strong": [], "growth": [], "critical": []}, "created_at": made,
    }  # fmt: skip
    return {
        "clinics": clinics,
        "tokens": [
            _token(CLINICS[0], "old", made), _token(CLINICS[0], "newest", made + timedelta(days=9)),
            _token(CLINICS[1], "second", made),
            {"_id": ObjectId(), "client_id": CLINICS[2], "access_token": "opaque",
             "refresh_token": "r3"},
        ],
        "administrators": [
            {"_id": "admin_Анна", "clinic_id": "clinic-uuid-1", "name": "Анна Иванова",
             "amocrm_user_id": "11", "email": "a@example.ru", "created_at": "2025-03-01T09:00:00"},
            {"_id": ObjectId(), "clinic_id": str(old_id), "name": "Мария Петрова",
             "amocrm_user_id": 12, "monthly_limit": None},
            {"_id": ObjectId(), "clinic_id": old_id, "name": "", "amocrm_user_id": "12"},
            {"_id": "uuid-4", "clinic_id": "clinic-uuid-3-again", "name": "По умолчанию",
             "amocrm_user_id": "default_admin"},
            {"_id": "uuid-5", "clinic_id": "nowhere", "name": "Чужая", "amocrm_user_id": "1"},
        ],
        "work_schedules": [
            {"_id": ObjectId(), **shift}, {"_id": ObjectId(), **shift},
            {"_id": ObjectId(), **shift, "last_name": "Петрова", "date": "2026-09-06"},
            {"_id": ObjectId(), **shift, "date": None},
        ],
        "recommendation_analysis_results": [
            {"_id": ObjectId(), **week},
            {"_id": ObjectId(), **week, "created_at": made - timedelta(days=1)},
            {"_id": ObjectId(), **week, "period_type": "monthly", "start_date": "2026-09-01",
             "end_date": "2026-09-30", "weekly_analyses_count": 4},
        ],
        "transcriptions": [{"_id": ObjectId(), "filename": "x.txt"}],
        "call_status": [{"_id": ObjectId(), "client_id": CLINICS[0], "total_found": 1}],
        "system_settings": [{"_id": ObjectId(), "any": 1}],
    }  # fmt: skip


def _token(client_id: str, name: str, at: datetime) -> Doc:
    claims = {"exp": int((at + timedelta(days=1)).timestamp()), "iat": int(at.timestamp())}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return {
        "_id": ObjectId(), "client_id": client_id, "access_token": f"head.{body}.{name}",
        "refresh_token": f"refresh-{name}", "subdomain": "x", "updated_at": at,
    }  # fmt: skip
