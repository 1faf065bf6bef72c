"""The HTTP door: routers, access, errors."""

from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader

import medai
from medai.api import errors
from medai.api.access import Guard
from medai.api.body_cap import BodyCap
from medai.api.request_ids import RequestIds
from medai.api.routers import (
    analysis,
    bulk,
    calls,
    events,
    keys,
    ledger,
    metrics,
    process_data,
    reports,
    runs,
    status,
    stops,
    watching,
)
from medai.bootstrap import Application

_UPLOADS: dict[str, int] = {}
"""Paths that take files -> megabytes."""


def create_api(application: Application) -> FastAPI:
    """The API over an open application."""
    api = FastAPI(
        title="MedAI Backend",
        version=medai.__version__,
        description="Every call of a clinic: transcribed, scored with quotes, reported.",
        # Declared for Swagger's Authorize button; the check itself is the guard.
        dependencies=[Security(APIKeyHeader(name="X-API-Key", auto_error=False))],
    )
    api.state.application = application
    for module in (status, events, calls, analysis, reports, metrics, ledger, stops, runs, keys):
        api.include_router(module.router, prefix="/api", responses=errors.COMMON)
    for module in (bulk, process_data):
        api.include_router(module.router, prefix="/api", responses=errors.COMMON)
    # As its old clients call it (contract 1.5).
    api.include_router(process_data.router, responses=errors.COMMON)
    api.include_router(watching.router)
    errors.install(api)
    api.add_middleware(Guard, application=application)
    api.add_middleware(BodyCap, uploads=_UPLOADS)
    # Outermost, so that a refusal carries CORS headers too (contract 0).
    api.add_middleware(
        CORSMiddleware,
        allow_origins=application.settings.cors_origins.split(","),
        allow_methods=["*"],
        allow_headers=["*"],
    )
    api.add_middleware(RequestIds)
    return api


def create_watching(application: Application) -> FastAPI:
    """Measures and health alone, for a process that has no API: `medai worker`."""
    api = FastAPI(title="MedAI worker", docs_url=None, redoc_url=None, openapi_url=None)
    api.state.application = application
    api.include_router(watching.router)
    errors.install(api)
    api.add_middleware(Guard, application=application)
    api.add_middleware(RequestIds)
    return api
