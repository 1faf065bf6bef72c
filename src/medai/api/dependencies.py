"""What routes are given."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from medai.access.audit import AccessLog, Opened
from medai.access.models import Grant
from medai.bootstrap import Application


def _application(request: Request) -> Application:
    found: Application = request.app.state.application
    return found


App = Annotated[Application, Depends(_application)]
"""The wired application behind this API."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks: what they may do, and what is noted about them."""

    grant: Grant
    address: str
    request_id: str
    _log: AccessLog

    def clinic(self, client_id: str | None) -> str | None:
        """The clinic the request is about, None for all: see `Grant.clinic`."""
        return self.grant.clinic(client_id)

    def require(self, client_id: str) -> None:
        """Raises NotFoundError for a clinic outside the grant."""
        self.grant.require(client_id)

    async def opens(self, what: Opened, object_id: str, client_id: str | None) -> None:
        """Note in the access log that patients' words are given out. Raises StoreError."""
        await self._log.note(
            what,
            object_id,
            client_id,
            by=self.grant.name,
            address=self.address,
            request_id=self.request_id,
        )


def _visitor(request: Request, app: App) -> Visitor:
    state, address = request.state, request.client.host if request.client else ""
    return Visitor(state.grant, address, state.request_id, app.access_log)


Who = Annotated[Visitor, Depends(_visitor)]
"""Every route that names a clinic, or answers with one's data, asks it."""


def _all_clinics(who: Who) -> Visitor:
    who.grant.require_all_clinics()
    return who


Installation = Annotated[Visitor, Depends(_all_clinics)]
"""For routes about the installation: 403 for a key of some clinics."""


def _link(
    expires: Annotated[str, Query(description="из подписанной ссылки: секунды Unix")] = "",
    signature: Annotated[str, Query(description="из подписанной ссылки")] = "",
) -> None:
    """Declared for readers of the description; the guard has checked them."""


SignedLink = Depends(_link)
"""In `dependencies` of file routes: they open with a key or with a signed link."""
