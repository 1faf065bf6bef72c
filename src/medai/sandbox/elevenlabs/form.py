"""The multipart form of POST /v1/speech-to-text, read as strictly as the service reads it."""

import json
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData, UploadFile

from medai.sandbox.elevenlabs.errors import RefusedError, UnprocessableError

_MODELS = ("scribe_v2", "scribe_v2_medical", "scribe_v3")
_SOURCES = ("file", "source_url", "cloud_storage_url")
_MOST_SPEAKERS = 32


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request. Times are wanted as `granularity` says: none, word or character."""

    audio: bytes
    model: str
    language: str | None
    diarize: bool
    roles: bool
    num_speakers: int | None
    multi_channel: bool
    combined: bool
    granularity: str


async def read_order(form: FormData) -> Order:
    """The form as an order. Raises UnprocessableError (422) or RefusedError (400)."""
    model = _model(form)
    _check_json(form)
    order = Order(
        audio=await _audio(form),
        model=model,
        language=_text(form, "language_code"),
        diarize=_flag(form, "diarize"),
        roles=_flag(form, "detect_speaker_roles"),
        num_speakers=_whole(form, "num_speakers", 1, _MOST_SPEAKERS),
        multi_channel=_flag(form, "use_multi_channel"),
        combined=_choice(form, "multichannel_output_style", ("separate", "combined")) == "combined",
        granularity=_choice(form, "timestamps_granularity", ("word", "none", "character")),
    )
    _check_combinations(form, order)
    return order


def _model(form: FormData) -> str:
    model = _text(form, "model_id")
    if model is None:
        raise UnprocessableError("model_id", "Field required", kind="missing")
    if model not in _MODELS:
        raise RefusedError(
            400, "unsupported_model", f"Model {model[:40]!r} is not available", param="model_id"
        )
    return model


async def _audio(form: FormData) -> bytes:
    given = [name for name in _SOURCES if form.get(name) not in (None, "")]
    if len(given) != 1:
        raise RefusedError(400, "invalid_parameters", f"Exactly one of {_SOURCES} must be given")
    upload = form.get("file")
    if not isinstance(upload, UploadFile):
        raise RefusedError(400, "invalid_parameters", "The sandbox fetches no URLs: send a file")
    return await upload.read()


def _check_json(form: FormData) -> None:
    detection = _json(form, "entity_detection")
    redaction = _json(form, "entity_redaction")
    _json(form, "webhook_metadata")
    if redaction is not None and detection not in ("all", redaction):
        asked, found = _as_set(redaction), _as_set(detection)
        if not asked <= found:
            raise RefusedError(
                400, "invalid_parameters", "entity_redaction must be a subset of entity_detection"
            )
    if _flag(form, "webhook"):
        raise RefusedError(400, "invalid_parameters", "No speech-to-text webhook is configured")


def _check_combinations(form: FormData, order: Order) -> None:
    threshold = _text(form, "diarization_threshold")
    rules = (
        (order.roles and not order.diarize, "detect_speaker_roles requires diarize=true"),
        (order.roles and order.multi_channel, "detect_speaker_roles excludes use_multi_channel"),
        (order.multi_channel and order.diarize, "use_multi_channel excludes diarize"),
        (order.multi_channel and order.num_speakers, "use_multi_channel excludes num_speakers"),
        (threshold and order.num_speakers, "diarization_threshold excludes num_speakers"),
        (threshold and not order.diarize, "diarization_threshold requires diarize=true"),
        (order.combined and order.granularity == "none", "combined output requires timestamps"),
    )
    for broken, message in rules:
        if broken:
            raise RefusedError(400, "invalid_parameters", message)


def _as_set(value: Any) -> set[str]:
    return set(value) if isinstance(value, list) else {str(value)}


def _text(form: FormData, name: str) -> str | None:
    value = form.get(name)
    return value if isinstance(value, str) and value else None


def _flag(form: FormData, name: str) -> bool:
    value = _text(form, name) or "false"
    if value not in ("true", "false"):
        raise UnprocessableError(name, "Input should be a valid boolean", kind="bool_parsing")
    return value == "true"


def _whole(form: FormData, name: str, least: int, most: int) -> int | None:
    value = _text(form, name)
    if value is None:
        return None
    if not value.isdecimal() or not least <= int(value) <= most:
        raise UnprocessableError(name, f"Input should be from {least} to {most}")
    return int(value)


def _choice(form: FormData, name: str, allowed: tuple[str, ...]) -> str:
    value = _text(form, name) or allowed[0]
    if value not in allowed:
        raise UnprocessableError(name, f"Input should be one of {allowed}", kind="literal_error")
    return value


def _json(form: FormData, name: str) -> Any:
    """A JSON field; unset ones arrive as the text `null` (elevenlabs.md 3)."""
    value = _text(form, name)
    if value is None:
        return None
    try:
        return json.loads(value)
    except ValueError as error:
        raise UnprocessableError(name, "Input should be valid JSON", kind="json_invalid") from error
