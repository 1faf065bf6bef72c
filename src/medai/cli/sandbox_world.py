"""The sandbox as commands use it: its world, its recordings, its settings."""

import asyncio
from pathlib import Path

from medai.cli.running import console, read_settings, yesterday
from medai.errors import SettingsError
from medai.kit.days import parse_day
from medai.sandbox import credentials
from medai.sandbox.audio.maker import Maker
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.audio.tones import ToneMaker
from medai.sandbox.audio.voices import VoiceMaker
from medai.sandbox.server import serve
from medai.sandbox.world.criteria import CALL_TYPES
from medai.sandbox.world.generate import generate
from medai.sandbox.world.models import World


def serve_world(port: int, seed: int, day: str, voices: bool) -> None:
    """Serve the simulators until interrupted. Raises InvalidInputError, SettingsError."""
    on = parse_day(day) if day else yesterday()
    world = generate(seed=seed, day=on)
    store = AudioStore(world, audio_cache(), maker(voices))
    with console.status("записи…"):
        asyncio.run(store.prepare())
        samples = asyncio.run(_samples(world, store))
    _print_settings(f"http://127.0.0.1:{port}", port)
    console.print(f"Записи, которые песочница понимает (для medai call): {samples}", soft_wrap=True)
    # The server blocks from here on: a reader behind a pipe must not wait for its end.
    console.file.flush()
    serve(world, store, port=port)


async def _samples(world: World, store: AudioStore) -> Path:
    """One recording of each call type under a telling name; returns their folder."""
    folder = audio_cache() / "samples"
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    by_type = {
        call.dialogue.call_type_id: call.dialogue
        for clinic in world.clinics
        for call in clinic.calls
        if call.dialogue is not None
    }
    for type_id, dialogue in sorted(by_type.items()):
        extension = "mp3" if store.content_type(dialogue.id) == "audio/mpeg" else "wav"
        content = await store.content(dialogue.id) or b""
        path = folder / f"{type_id}-{CALL_TYPES[type_id]}.{extension}"
        await asyncio.to_thread(path.write_bytes, content)
    return folder


def maker(voices: bool) -> Maker:
    """Spoken recordings, or tones. Raises SettingsError when the demo extra is not installed."""
    if not voices:
        return ToneMaker()
    try:
        import espeakng_loader  # noqa: F401
        import lameenc  # noqa: F401
    except ImportError as error:
        raise SettingsError(
            "Для говорящих записей поставьте requirements-demo.txt или добавьте --no-voices"
        ) from error
    return VoiceMaker()


def audio_cache() -> Path:
    """Where generated recordings are kept between runs."""
    return read_settings().data_dir / "sandbox-audio"


def _print_settings(url: str, port: int) -> None:
    console.print(f"Песочница работает на {url}. Настройки службы для неё:")
    lines = {
        "AMOCRM_BASE_URL_TEMPLATE": f"{url}/amocrm/{{subdomain}}",
        "ELEVENLABS_BASE_URL": f"{url}/elevenlabs",
        "OPENAI_BASE_URL": f"{url}/openai/v1",
        "TELEGRAM_API_BASE_URL": f"{url}/telegram",
        "RECORDINGS_ALLOW_HOSTS": f"127.0.0.1:{port}",
        "EVENLABS": credentials.ELEVENLABS_KEY,
        "OPENAI": credentials.OPENAI_KEY,
        "BOT_TOKEN": credentials.BOT_TOKEN,
    }
    for name, value in lines.items():
        console.print(f"{name}={value}", markup=False)
    console.print(f"Клиники и их коды: {url}/control/clinics · правда: {url}/control/truth")
