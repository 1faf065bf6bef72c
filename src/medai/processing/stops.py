"""Standing still when a provider says stop: a wrong key, no money, a closed account.

Asking again for every call would only collect refusals. The first refusal puts up a stop: for the
whole installation, or for one clinic when its CRM refused. Calls that need the provider wait with
the reason; from time to time one of them tries, and when it passes, all go on.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import structlog

from medai.calls.models import Call, Step
from medai.errors import MedaiError, ProviderStoppedError, SettingsError
from medai.infra.documents import Change, Collection, Document, Documents, Range
from medai.kit.clock import Clock
from medai.kit.model import Frozen

STOPS = Collection("stops")

CRM = "amocrm"
_PROVIDERS = {Step.TRANSCRIPTION: "elevenlabs", Step.ANALYSIS: "openai", Step.NOTE: CRM}
"""Who a step cannot do without. Downloads go to many hosts: one of them stops nobody else."""

_SHORTEST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(minutes=15)
_PAUSE_SHARE = 4
_TRIAL_LEASE = timedelta(minutes=10)
"""A trial whose process died; longer than any provider takes to answer."""

_log = structlog.get_logger(__name__)


class Stop(Frozen):
    """Why work with a provider stands still. `client_id` is None when all clinics are concerned.

    `message` is a Russian line for people; `next_trial_at` is when one call may try again.
    """

    id: str
    provider: str
    client_id: str | None
    code: str
    message: str
    since: datetime
    next_trial_at: datetime


class StoppedError(MedaiError):
    """The step was not tried: its provider stands still. Carries the stop's own words."""

    code = ProviderStoppedError.code

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.message)
        self.stop = stop


class Stops:
    """Stops in the document store, seen by all workers. Raises StoreError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def pass_or_raise(self, step: Step, call: Call) -> Stop | None:
        """Let the call through: None when nothing stands still, the stop when it is the trial.

        Raises StoppedError when it has to wait.
        """
        provider = _PROVIDERS.get(step)
        stop = await self._get(scope(provider, call.client_id)) if provider else None
        if stop is None or await self._is_trial(stop):
            return stop
        raise StoppedError(stop)

    async def put_up(self, error: Exception, step: Step, client_id: str) -> str | None:
        """Note what the error says about the provider; the stop's id, None when it says nothing.

        A stop that stands already keeps its beginning and is tried again later.
        """
        if isinstance(error, StoppedError):
            return error.stop.id
        if isinstance(error, ProviderStoppedError):
            return await self.stand_still(error.provider, client_id, error)
        if isinstance(error, SettingsError) and step in _PROVIDERS:
            return await self.stand_still(_PROVIDERS[step], client_id, error)
        return None

    async def stand_still(self, provider: str, client_id: str, error: MedaiError) -> str:
        """Put up a stop or renew it; returns its id."""
        stop_id, now = scope(provider, client_id), self._clock()
        standing = await self._get(stop_id)
        since = standing.since if standing else now
        stop = Stop(
            id=stop_id,
            provider=provider,
            client_id=client_id if provider == CRM else None,
            code=error.code,
            message=error.message,
            since=since,
            next_trial_at=now + pause(since, now),
        )
        await self._documents.put_many(STOPS, [_to_document(stop)])
        if standing is None:
            _log.warning("provider stopped", provider=provider, client_id=stop.client_id,
                         code=error.code)  # fmt: skip
        return stop_id

    async def postpone(self, stop: Stop) -> None:
        """The trial told nothing about the provider: another one follows soon."""
        now = self._clock()
        later = {"next_trial_at": now + pause(stop.since, now)}
        await self._documents.update(STOPS, stop.id, Change(set=later))

    async def lift(self, stop_id: str) -> bool:
        """The provider works again; tells whether this call took the stop away."""
        lifted = await self._documents.delete(STOPS, {"_id": stop_id}) > 0
        if lifted:
            _log.warning("provider works again", stop=stop_id)
        return lifted

    async def standing(self) -> AsyncIterator[Stop]:
        """All stops by id."""
        async for document in self._documents.find(STOPS, {}, sort=(("_id", 1),)):
            yield _from_document(document)

    async def stands(self, stop_id: str) -> bool:
        """Whether the stop has not been lifted."""
        return await self._get(stop_id) is not None

    async def try_soon(self, client_id: str | None = None) -> None:
        """Let the next call of every stop try: a person has asked, or the service has started.

        With a clinic given, stops of other clinics stay as they are.
        """
        now = self._clock()
        async for stop in self.standing():
            if client_id is None or stop.client_id in (None, client_id):
                earlier = {"next_trial_at": Range(above=now)}
                await self._change(stop.id, {"next_trial_at": now}, earlier)

    async def _is_trial(self, stop: Stop) -> bool:
        """Whether the asker is the one that may try now; the others keep waiting."""
        now = self._clock()
        if stop.next_trial_at > now:
            return False
        seen = {"next_trial_at": stop.next_trial_at}
        return await self._change(stop.id, {"next_trial_at": now + _TRIAL_LEASE}, seen)

    async def _change(self, stop_id: str, fields: Document, where: Document) -> bool:
        return await self._documents.update(STOPS, stop_id, Change(set=fields), where=where)

    async def _get(self, stop_id: str) -> Stop | None:
        found = await self._documents.get(STOPS, stop_id)
        return _from_document(found) if found else None


def scope(provider: str, client_id: str) -> str:
    """The id of the stop: one for all clinics, but each clinic has a CRM account of its own."""
    return f"{provider}:{client_id}" if provider == CRM else provider


def pause(since: datetime, now: datetime) -> timedelta:
    """How long after a failed trial the next one comes: the longer it lasts, the rarer."""
    return min(max((now - since) / _PAUSE_SHARE, _SHORTEST_PAUSE), _LONGEST_PAUSE)


def says_stop(error: Exception) -> bool:
    """Whether the error means that asking again is useless until a person acts."""
    return isinstance(error, ProviderStoppedError | SettingsError | StoppedError)


def _to_document(stop: Stop) -> Document:
    fields = stop.model_dump()
    return {"_id": fields.pop("id"), **fields}


def _from_document(document: Document) -> Stop:
    fields = dict(document)
    return Stop(id=fields.pop("_id"), **fields)
