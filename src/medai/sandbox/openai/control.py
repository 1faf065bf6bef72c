"""The sandbox's own look into the OpenAI project."""

from typing import Any

from fastapi import APIRouter

from medai.sandbox.openai.model import OpenAI


def build_router(project: OpenAI) -> APIRouter:
    """Routes under /control/openai."""
    router = APIRouter()

    @router.get("/requests")
    def read() -> list[dict[str, Any]]:
        """The bodies of the last accepted requests, oldest first."""
        return list(project.requests)

    return router
