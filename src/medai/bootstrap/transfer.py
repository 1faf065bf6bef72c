"""What the transfer of data needs, opened without the service: a half-filled store is no service.

No table for DataLens is made here, no job engine opened, no provider asked.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from medai.bootstrap.ground import COLLECTIONS, refuse_old_system
from medai.infra.crypto import fingerprint
from medai.infra.documents import Collection
from medai.infra.own_keys import installation_keys
from medai.infra.stores import open_stores
from medai.kit.clock import Clock, utc_now
from medai.ledger.copying import EffectCopies
from medai.processing.transfer.marker import TRANSFERS
from medai.processing.transfer.packing import Installation, Packing
from medai.processing.transfer.unpacking import Unpacking
from medai.settings import Settings

_NAME = "medai-transfer"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Both directions over one installation."""

    installation: Installation
    packing: Packing
    unpacking: Unpacking


@asynccontextmanager
async def open_transfer(
    settings: Settings, beside: tuple[Collection, ...] = (), *, clock: Clock = utc_now
) -> AsyncIterator[Transfer]:
    """Open the stores; `beside` are collections of doors.

    Raises SettingsError for a missing or weak setting, StoreError for an unreachable store and
    StoredDataError until a dump of the replaced system is upgraded.
    """
    async with AsyncExitStack() as resources:
        _, secret = installation_keys(settings)
        stores = await open_stores(settings, resources, name=_NAME)
        await refuse_old_system(settings)
        await stores.documents.prepare((*COLLECTIONS, *beside))
        effects = EffectCopies(stores.pool)
        await effects.prepare()
        installation = Installation(
            documents=stores.documents,
            files=stores.files,
            effects=effects,
            pool=stores.pool,
            collections=tuple(one for one in (*COLLECTIONS, *beside) if one is not TRANSFERS),
            keys=fingerprint(secret),
            clock=clock,
        )
        yield Transfer(installation, Packing(installation), Unpacking(installation))
