"""The speech account and log files (contract 1.5 admin). For keys of all clinics."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import PlainTextResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from medai.api.dependencies import App, Installation
from medai.api.errors import problems
from medai.transcription.balance import SHOWN_CREDITS

router = APIRouter(prefix="/admin", tags=["administration"])

_TEXT = {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Текст файла"}


class Balance(BaseModel):
    """The provider's own answer, as it comes, with the counters that old clients show.

    `character_limit` is always 500000: old clients divide by it. The plan's real size is
    `plan_character_limit`.
    """

    model_config = ConfigDict(extra="allow")
    tier: str = Field(examples=["starter"])
    character_count: int = Field(examples=[1200])
    character_limit: int = Field(examples=[500000])
    tokens_remaining: int = Field(examples=[498800])
    minutes_remaining: float = Field(
        description="18000 минут — это 500000 кредитов", examples=[17956.8]
    )
    plan_character_limit: int = Field(examples=[40000])


class SyncedBalance(BaseModel):
    """The plan's real numbers at this moment."""

    success: bool
    tier: str = Field(examples=["starter"])
    character_count: int = Field(examples=[1200])
    character_limit: int = Field(examples=[40000])
    remaining: int = Field(examples=[38800])
    usage_percent: float = Field(examples=[3.0])
    synced_at: datetime


class LogList(BaseModel):
    logs: list[str] = Field(examples=[["report_20261119_180000.json"]])


@router.get("/elevenlabs-balance", summary="The speech-to-text account", responses=problems(502))
async def balance(app: App, _: Installation) -> Balance:
    """Asked of the provider now. 503 when it is down or no key is set, 502 when it refuses."""
    found = await app.speech_account.balance()
    plan = found.plan.model_dump(exclude_unset=True)
    return Balance.model_validate(
        {
            **plan,
            "character_limit": SHOWN_CREDITS,
            "tokens_remaining": found.shown_credits_left,
            "minutes_remaining": found.shown_minutes_left,
            "plan_character_limit": found.plan.character_limit,
        }
    )


@router.post("/elevenlabs/sync", summary="Read the speech-to-text account", responses=problems(502))
async def sync_balance(app: App, _: Installation) -> SyncedBalance:
    """As elevenlabs-balance, in the plan's real numbers."""
    found = await app.speech_account.balance()
    return SyncedBalance(
        success=True,
        tier=found.plan.tier,
        character_count=found.plan.character_count,
        character_limit=found.plan.character_limit,
        remaining=found.credits_left,
        usage_percent=found.used_percent,
        synced_at=app.clock(),
    )


@router.get("/logs", summary="Log files")
async def logs(app: App, _: Installation) -> LogList:
    """Names in the folder `logs` of the data folder, in descending order, a thousand at most.

    The service itself logs to its standard output; commands leave their reports here.
    """
    return LogList(logs=await app.log_files.names())


@router.get(
    "/logs/{filename}",
    summary="A log file",
    response_class=Response,  # its refusals are JSON: no media type for all answers
    responses={**problems(404), 200: _TEXT},
)
async def log(
    filename: Annotated[str, Path(max_length=200)], app: App, _: Installation
) -> PlainTextResponse:
    """The text; of a long file its last five megabytes."""
    return PlainTextResponse(await app.log_files.read(filename))
