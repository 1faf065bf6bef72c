"""The sandbox as one ASGI application: every provider under its own path prefix."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from medai.kit.clock import Clock, utc_now
from medai.sandbox import control
from medai.sandbox.state import Audio, Sandbox, SandboxClock
from medai.sandbox.world.models import World


def create_app(
    world: World, audio: Audio, *, clock: Clock = utc_now, crm_limits: Any = None
) -> FastAPI:
    """The simulators over the given world.

    `audio` knows the recordings; `clock` is the base of the movable sandbox clock; `crm_limits`
    goes to the amoCRM simulator unread. `app.state.sandbox` is the shared `Sandbox`.
    """
    sandbox = Sandbox(world=world, audio=audio, clock=SandboxClock(clock))
    app = FastAPI(title="MedAI sandbox", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.sandbox = sandbox
    resets: list[Callable[[], None]] = [sandbox.faults.clear, sandbox.ledger.clear]
    app.include_router(control.build_router(sandbox, resets), prefix="/control")
    return app
