"""Keys of the API and what they allow."""

from dataclasses import dataclass
from datetime import datetime

from medai.clinics.repository import unknown_clinic
from medai.errors import ForbiddenError, InvalidInputError
from medai.kit.model import Frozen


class ApiKey(Frozen):
    """A named key as it is stored: its text is known only to whoever was given it.

    `client_ids` None: all clinics. `may_write`: everything but reading needs it.
    """

    id: str
    name: str
    digest: str
    client_ids: tuple[str, ...] | None = None
    may_write: bool = False
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request may do. `id` tells callers apart, `name` tells people who it was;
    `client_ids` None: all clinics."""

    id: str
    name: str
    client_ids: frozenset[str] | None = None
    may_write: bool = True

    def allows(self, client_id: str | None) -> bool:
        """Whether the clinic (None: every clinic) is open to this grant."""
        return self.client_ids is None or client_id in self.client_ids

    def clinic(self, client_id: str | None) -> str | None:
        """The clinic a request is about, None for all of them.

        A grant of one clinic stands for it when none is named. Raises NotFoundError for a clinic
        outside the grant (nobody learns which exist), InvalidInputError when one must be named.
        """
        if client_id:
            self.require(client_id)
            return client_id
        if self.client_ids is None:
            return None
        if len(self.client_ids) == 1:
            return next(iter(self.client_ids))
        raise InvalidInputError("Ключ открывает несколько клиник: укажите client_id одной из них")

    def require(self, client_id: str) -> None:
        """Raises NotFoundError, in the words of an unknown clinic, outside the grant."""
        if not self.allows(client_id):
            raise unknown_clinic(client_id)

    def require_all_clinics(self) -> None:
        """For what concerns the installation. Raises ForbiddenError for a key of some clinics."""
        if self.client_ids is not None:
            raise ForbiddenError("Нужен ключ всех клиник: попросите его у владельца")


OWNER = Grant("owner", "владелец")
"""The key of the installation (API_KEY)."""
LINK = Grant("link", "ссылка", may_write=False)
"""Whoever holds a signed link: it opens one file and nothing else."""
