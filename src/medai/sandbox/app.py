"""The sandbox as one ASGI application: every provider under its own path prefix."""

from typing import Any

from fastapi import FastAPI

from medai.kit.clock import Clock, utc_now
from medai.sandbox import control
from medai.sandbox.elevenlabs import control as elevenlabs_control
from medai.sandbox.elevenlabs import routes as elevenlabs_routes
from medai.sandbox.elevenlabs.account import ElevenLabs
from medai.sandbox.openai import control as openai_control
from medai.sandbox.openai import routes as openai_routes
from medai.sandbox.openai.model import OpenAI
from medai.sandbox.state import Audio, Sandbox, SandboxClock
from medai.sandbox.world.models import World


def create_app(
    world: World,
    audio: Audio,
    *,
    clock: Clock = utc_now,
    crm_limits: Any = None,  # noqa: ARG001
) -> FastAPI:
    """The simulators over the given world.

    `audio` knows the recordings; `clock` is the base of the movable sandbox clock; `crm_limits`
    goes to the amoCRM simulator unread. `app.state.sandbox` is the shared `Sandbox`.
    """
    sandbox = Sandbox(world=world, audio=audio, clock=SandboxClock(clock))
    app = FastAPI(title="MedAI sandbox", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.sandbox = sandbox
    voice = ElevenLabs(sandbox)
    app.include_router(elevenlabs_routes.build_router(sandbox, voice), prefix="/elevenlabs")
    app.include_router(elevenlabs_control.build_router(voice), prefix="/control/elevenlabs")
    language = OpenAI(sandbox)
    app.include_router(openai_routes.build_router(sandbox, language), prefix="/openai")
    app.include_router(openai_control.build_router(language), prefix="/control/openai")
    resets = [sandbox.faults.clear, sandbox.ledger.clear, sandbox.clock.reset]
    resets += [voice.reset, language.reset]
    app.include_router(control.build_router(sandbox, resets), prefix="/control")
    return app
