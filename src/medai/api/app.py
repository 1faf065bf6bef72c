"""The HTTP door: routers, access, errors."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader

import medai
from medai.api import errors
from medai.api.access import Guard
from medai.api.body_cap import BodyCap
from medai.api.request_ids import RequestIds
from medai.api.routers import (
    administration,
    amocrm,
    amocrm_checks,
    amocrm_events,
    amocrm_files,
    amocrm_transcription,
    analysis,
    bulk,
    call_analysis,
    calls,
    clinic_settings,
    clinics,
    events,
    keys,
    ledger,
    limits,
    members,
    metrics,
    process_data,
    recommendations,
    recordings,
    reports,
    runs,
    status,
    stops,
    summary_report,
    transcriptions,
    transcripts,
    trial,
    watching,
    work_schedules,
)
from medai.api.routers.call_lists import CallLists
from medai.bootstrap import Application

_KEY = Security(APIKeyHeader(name="X-API-Key", auto_error=False))
"""Declared for Swagger's Authorize button; the check itself is the guard."""
_GUARDED = (
    events, bulk, process_data, calls, recordings, transcriptions, transcripts, summary_report,
    analysis, call_analysis, trial, recommendations, reports, clinics, clinic_settings, limits,
    work_schedules, administration, metrics, ledger, stops, runs, keys, members, amocrm,
    amocrm_files, amocrm_transcription, amocrm_events, amocrm_checks,
)  # fmt: skip
_UPLOADS: dict[str, int] = {"/api/test/transcribe-and-analyze": 64}
"""Paths that take files -> megabytes."""


def create_api(application: Application, others: Sequence[APIRouter] = ()) -> FastAPI:
    """The API over an open application; `others` are routers of doors that live in this process."""
    api = _routed()
    for router in others:
        api.include_router(router, prefix="/api")
    api.state.application = application
    api.state.call_lists = CallLists(application.call_listing, application.clinics)
    errors.install(api)
    api.add_middleware(Guard, application=application)
    api.add_middleware(BodyCap, uploads=_UPLOADS)
    # Outermost, so that a refusal carries CORS headers too (contract 0).
    api.add_middleware(
        CORSMiddleware,
        allow_origins=application.settings.cors_origins.split(","),
        allow_methods=["*"],
        allow_headers=["*"],
        # Front ends that send cookies ask for it (contract 0); none of our routes reads a cookie.
        allow_credentials=True,
    )
    api.add_middleware(RequestIds)
    return api


def described() -> dict[str, Any]:
    """The API's description (OpenAPI 3.1)."""
    return _routed().openapi()


def create_watching(application: Application) -> FastAPI:
    """Measures and health alone, for a process that has no API: `medai worker`."""
    api = FastAPI(title="MedAI worker", docs_url=None, redoc_url=None, openapi_url=None)
    api.state.application = application
    api.include_router(watching.router)
    errors.install(api)
    api.add_middleware(Guard, application=application)
    api.add_middleware(RequestIds)
    return api


def _routed() -> FastAPI:
    api = FastAPI(
        title="MedAI Backend",
        version=medai.__version__,
        description="Every call of a clinic: transcribed, scored with quotes, reported.",
        strict_content_type=False,  # old clients send JSON without saying so
    )
    api.include_router(status.router, prefix="/api")
    for module in _GUARDED:
        api.include_router(
            module.router, prefix="/api", responses=errors.COMMON, dependencies=[_KEY]
        )
    # As its old clients call it, without /api (contract 1.5).
    api.include_router(process_data.router, responses=errors.COMMON, dependencies=[_KEY])
    api.include_router(watching.router)
    return api
