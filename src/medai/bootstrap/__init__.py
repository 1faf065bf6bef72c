"""The only place where everything is put together, and the only one that knows all parts."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from medai.bootstrap.application import Application
from medai.bootstrap.ground import open_ground
from medai.bootstrap.providers import open_providers
from medai.bootstrap.wiring import wired
from medai.kit.clock import Clock, utc_now
from medai.settings import Settings

__all__ = ["Application", "open_application"]


@asynccontextmanager
async def open_application(
    settings: Settings, *, clock: Clock = utc_now
) -> AsyncIterator[Application]:
    """The whole application over its real stores and providers, closed at the end.

    Raises SettingsError for a missing or weak setting and StoreError for an unreachable store.
    """
    async with AsyncExitStack() as resources:
        ground = await open_ground(settings, clock, resources)
        yield wired(ground, await open_providers(ground, resources), resources)
