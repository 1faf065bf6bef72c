"""The sandbox as one ASGI application: every provider under its own path prefix."""

from collections.abc import Callable

from fastapi import FastAPI

from medai.kit.clock import Clock, utc_now
from medai.sandbox import control, lead_moves, recordings
from medai.sandbox.amocrm import routes as amocrm_routes
from medai.sandbox.amocrm.account import AmoCrm
from medai.sandbox.amocrm.control import build_control_router
from medai.sandbox.amocrm.options import Options
from medai.sandbox.elevenlabs import control as elevenlabs_control
from medai.sandbox.elevenlabs import routes as elevenlabs_routes
from medai.sandbox.elevenlabs.account import ElevenLabs
from medai.sandbox.openai import control as openai_control
from medai.sandbox.openai import routes as openai_routes
from medai.sandbox.openai.model import OpenAI
from medai.sandbox.state import Audio, Sandbox, SandboxClock
from medai.sandbox.telegram import control as telegram_control
from medai.sandbox.telegram import routes as telegram_routes
from medai.sandbox.telegram.bot import Bot
from medai.sandbox.world.models import World

Reset = Callable[[], None]


def create_app(
    world: World, audio: Audio, *, clock: Clock = utc_now, crm_limits: Options | None = None
) -> FastAPI:
    """The simulators over the given world.

    `audio` knows the recordings; `clock` is the base of the movable sandbox clock; `crm_limits`
    are the amoCRM accounts' options at the start. `app.state.sandbox` is the shared `Sandbox`.
    """
    sandbox = Sandbox(world=world, audio=audio, clock=SandboxClock(clock))
    app = FastAPI(title="MedAI sandbox", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.sandbox = sandbox
    resets = [sandbox.faults.clear, sandbox.ledger.clear, sandbox.clock.reset]
    resets.append(_mount_crm(app, sandbox, crm_limits))
    resets.append(_mount_speech(app, sandbox))
    resets.append(_mount_language(app, sandbox))
    resets.append(_mount_chats(app, sandbox))
    app.include_router(control.build_router(sandbox, resets), prefix="/control")
    return app


def _mount_crm(app: FastAPI, sandbox: Sandbox, options: Options | None) -> Reset:
    crm = AmoCrm(sandbox.world, clock=sandbox.clock, options=options)
    faults, ledger = sandbox.faults, sandbox.ledger
    router = amocrm_routes.build_router(sandbox.world, faults, ledger, crm=crm)
    app.include_router(router, prefix="/amocrm")
    app.include_router(build_control_router(crm), prefix="/control/amocrm")
    app.include_router(lead_moves.build_router(crm), prefix="/control/amocrm")
    host = recordings.build_router(sandbox.audio, faults, ledger)
    app.include_router(host, prefix="/recordings")
    app.state.crm = crm
    return crm.reset


def _mount_speech(app: FastAPI, sandbox: Sandbox) -> Reset:
    account = ElevenLabs(sandbox)
    app.include_router(elevenlabs_routes.build_router(sandbox, account), prefix="/elevenlabs")
    app.include_router(elevenlabs_control.build_router(account), prefix="/control/elevenlabs")
    return account.reset


def _mount_language(app: FastAPI, sandbox: Sandbox) -> Reset:
    project = OpenAI(sandbox)
    app.include_router(openai_routes.build_router(sandbox, project), prefix="/openai")
    app.include_router(openai_control.build_router(project), prefix="/control/openai")
    return project.reset


def _mount_chats(app: FastAPI, sandbox: Sandbox) -> Reset:
    bot = Bot(sandbox)
    app.include_router(telegram_routes.build_router(bot), prefix="/telegram")
    app.include_router(telegram_control.build_router(bot), prefix="/control/telegram")
    return bot.reset
