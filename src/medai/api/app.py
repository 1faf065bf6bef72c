"""The HTTP door: routers, access, errors."""

from fastapi import FastAPI, Security
from fastapi.middleware.cors import CORSMiddleware
from fastapi.security import APIKeyHeader
from starlette.middleware.base import BaseHTTPMiddleware

import medai
from medai.api import errors
from medai.api.routers import analysis, calls, events, ledger, metrics, reports, status, stops
from medai.api.security import AccessCheck
from medai.bootstrap import Application


def create_api(application: Application) -> FastAPI:
    """The API over an open application."""
    api = FastAPI(
        title="MedAI Backend",
        version=medai.__version__,
        description="Every call of a clinic: transcribed, scored with quotes, reported.",
        # Declared for Swagger's Authorize button; the check itself is AccessCheck.
        dependencies=[Security(APIKeyHeader(name="X-API-Key", auto_error=False))],
    )
    api.state.application = application
    for module in (status, events, calls, analysis, reports, metrics, ledger, stops):
        api.include_router(module.router, prefix="/api")
    errors.install(api)
    api.add_middleware(BaseHTTPMiddleware, dispatch=AccessCheck(application))
    # Outermost, so that a refusal carries CORS headers too (contract 0).
    api.add_middleware(
        CORSMiddleware,
        allow_origins=application.settings.cors_origins.split(","),
        allow_methods=["*"],
        allow_headers=["*"],
    )
    return api
