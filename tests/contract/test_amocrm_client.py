"""The amoCRM client against the simulator over real HTTP."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import httpx2
import pytest
from tests.fixtures.amocrm import MemoryStore
from tests.fixtures.sandbox import RunningSandbox

from medai.errors import (
    AnswerLostError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderStoppedError,
    ProviderUnavailableError,
)
from medai.infra.http import open_client
from medai.integrations.amocrm import oauth
from medai.integrations.amocrm.client import AmocrmClient
from medai.integrations.amocrm.models import NewNote, Note, NoteCollection
from medai.integrations.amocrm.oauth import OAuthApp
from medai.integrations.amocrm.token_pair import TokenPair
from medai.integrations.amocrm.tokens import Tokens
from medai.sandbox.world.models import SimClinic

COLLECTIONS: tuple[NoteCollection, ...] = ("leads", "contacts", "companies")
PLURAL = {"lead": "leads", "contact": "contacts", "company": "companies"}
CALLS = ("incoming_call", "outgoing_call")
TOKEN_PATH = "POST /oauth2/access_token"


@dataclass
class Account:
    """One clinic's account at the simulator, and clients of it."""

    sandbox: RunningSandbox
    clinic: SimClinic
    http: httpx2.AsyncClient
    slept: list[float] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.sandbox.url}/amocrm/{self.clinic.subdomain}"

    @property
    def app(self) -> OAuthApp:
        clinic = self.clinic
        return OAuthApp(clinic.client_id, clinic.client_secret, clinic.redirect_url)

    @property
    def window(self) -> tuple[datetime, datetime]:
        moments = [call.at for call in self.clinic.calls] + [e.at for e in self.clinic.events]
        return min(moments) - timedelta(minutes=1), max(moments) + timedelta(minutes=1)

    def order(self, path: str, **body: Any) -> Any:
        return self.sandbox.control.post(f"/amocrm/{self.clinic.subdomain}{path}", **body)

    def tokens(self, store: MemoryStore) -> Tokens:
        async def refresh(token: str) -> TokenPair:
            return await oauth.refresh(self.http, self.base, self.app, token)

        return Tokens(store, refresh)

    def client(self, tokens: Tokens | None = None, **options: Any) -> AmocrmClient:
        if tokens is None:
            pair = TokenPair.long_lived(self.order("/tokens", days=30)["access_token"])
            tokens = self.tokens(MemoryStore(pair))
        http = options.pop("http", self.http)
        return AmocrmClient(self.base, http, tokens, _at_once, sleep=self._sleep, **options)

    def asked(self) -> int:
        return int(self.sandbox.control.bill()["crm_requests"])

    def asked_of(self, path: str) -> int:
        return int(self.sandbox.control.bill()["crm_requests_by_path"].get(path, 0))

    def spoil(self, kind: str, **fault: Any) -> None:
        self.sandbox.control.fail("amocrm", kind, **fault)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def _at_once() -> None:
    """No limiter."""


@pytest.fixture
async def account(sandbox: RunningSandbox) -> AsyncIterator[Account]:
    async with open_client() as http:
        opened = Account(sandbox, sandbox.world.clinics[0], http)
        opened.order("/options", requests_per_second=None, account_requests_per_second=None)
        yield opened


async def found_calls(client: AmocrmClient, window: tuple[datetime, datetime]) -> list[Note]:
    """Calls of the window the events-first way."""
    ids: dict[str, list[int]] = {}
    async for event in client.events(types=CALLS, start=window[0], end=window[1]):
        if event.note_id is not None:
            ids.setdefault(PLURAL[event.entity_type], []).append(event.note_id)
    return [
        note
        for collection, some in ids.items()
        async for note in client.notes(cast(NoteCollection, collection), some)
    ]


def facts(notes: list[Note]) -> set[tuple[Any, ...]]:
    return {
        (note.id, note.collection, note.entity_id, note.type, note.created_at, note.call.duration,
         note.call.phone, note.call.uniq, note.call.link is not None)
        for note in notes
    }  # fmt: skip


def true_facts(clinic: SimClinic) -> set[tuple[Any, ...]]:
    kinds = {"inbound": "call_in", "outbound": "call_out"}
    return {
        (call.note_id, call.collection, call.entity_id, kinds[call.direction], call.at.replace(
            microsecond=0), call.duration, call.phone, call.uniq,
         bool(call.recording or call.link))
        for call in clinic.calls
    }  # fmt: skip


@pytest.mark.parametrize("batch_size", [100, 7, 1])
async def test_events_lead_to_every_call_exactly_as_it_was(
    account: Account, batch_size: int
) -> None:
    notes = await found_calls(account.client(batch_size=batch_size), account.window)
    assert len(notes) == len(account.clinic.calls)
    assert facts(notes) == true_facts(account.clinic)


async def test_notes_first_finds_the_same_calls_without_an_event(account: Account) -> None:
    client = account.client()
    start, end = account.window
    notes = [
        note
        for collection in COLLECTIONS
        async for note in client.call_notes(collection, updated_from=start, updated_to=end)
    ]
    assert facts(notes) == true_facts(account.clinic)
    assert account.asked() == 3


async def test_whole_day_costs_a_handful_of_requests(account: Account) -> None:
    client = account.client()
    await found_calls(client, account.window)
    contacts = [card async for card in client.contacts(account.clinic.contacts)]
    leads = [card async for card in client.leads(account.clinic.leads)]
    assert {card.id for card in contacts} == set(account.clinic.contacts)
    assert {card.id for card in leads} == set(account.clinic.leads)
    assert account.asked() <= 6


async def test_status_and_field_changes_are_read_together(account: Account) -> None:
    types = list({event.type for event in account.clinic.events})
    assert len(types) > 1
    start, end = account.window
    events = [e async for e in account.client().events(types=types, start=start, end=end)]
    expected = {event.id: event.type for event in account.clinic.events}
    assert {event.id: event.type for event in events} == expected
    for event in events:
        moved = event.type == "lead_status_changed"
        assert (event.status_after is not None) == moved
        assert bool(event.fields_after) != moved


@pytest.mark.parametrize("filters", ["on", "ignore", "reject"])
@pytest.mark.parametrize("told", [False, True])
async def test_cards_are_the_same_with_and_without_the_paid_filter(
    account: Account, filters: str, told: bool
) -> None:
    account.order("/options", filters=filters)
    client = account.client(batch_size=10)
    if told:
        assert (await client.account()).is_api_filter_enabled is (filters == "on")
    wanted = list(account.clinic.leads)[5:20]
    leads = {lead.id: lead async for lead in client.leads([*wanted, 999_999_999])}
    assert sorted(leads) == sorted(wanted)
    assert client.filters_trusted is (filters == "on")
    for lead_id, lead in leads.items():
        row: Any = account.clinic.leads[lead_id]
        assert lead.contact_ids == tuple(item["id"] for item in row["_embedded"]["contacts"])
        assert (lead.status_id, lead.pipeline_id) == (row["status_id"], row["pipeline_id"])
    some = list(account.clinic.contacts)[:12]
    contacts = {card.id: card async for card in client.contacts(some)}
    assert sorted(contacts) == sorted(some)
    assert all(card.phones for card in contacts.values())


async def test_links_agree_with_embedded_contacts(account: Account) -> None:
    client = account.client()
    leads = {lead.id: set(lead.contact_ids) async for lead in client.leads(account.clinic.leads)}
    linked: dict[int, set[int]] = {lead_id: set() for lead_id in leads}
    async for link in client.links("leads", account.clinic.leads):
        if link.to_entity_type == "contacts":
            linked[link.entity_id].add(link.to_entity_id)
    assert linked == leads


async def test_set_up_of_the_account_is_read(account: Account) -> None:
    client, clinic = account.client(), account.clinic
    found = await client.account()
    assert (found.subdomain, found.timezone) == (clinic.subdomain, clinic.timezone)
    pipelines = await client.pipelines()
    assert {pipeline.id for pipeline in pipelines} == {item["id"] for item in clinic.pipelines}
    assert all({142, 143} <= {s.id for s in pipeline.statuses} for pipeline in pipelines)
    assert {user.id for user in await client.users()} == {item["id"] for item in clinic.users}
    assert any(definition.enums for definition in await client.lead_custom_fields())


async def test_users_need_an_administrator(account: Account) -> None:
    token = account.order("/tokens", days=1, admin=False)["access_token"]
    client = account.client(account.tokens(MemoryStore(TokenPair.long_lived(token))))
    with pytest.raises(ProviderStoppedError, match="администратора"):
        await client.users()


async def test_notes_are_written_found_and_changed(account: Account) -> None:
    client, lead_id = account.client(), next(iter(account.clinic.leads))
    new = [NewNote(lead_id, f"часть {part} #medai:1") for part in range(3)]
    ids = await client.add_notes("leads", new)
    await client.update_note("leads", lead_id, ids[1], "часть вторая")
    notes = await client.entity_notes("leads", lead_id, note_type="common")
    assert {note.id: note.text for note in notes} == {
        ids[0]: new[0].text, ids[1]: "часть вторая", ids[2]: new[2].text,
    }  # fmt: skip
    assert [note.id for note in notes] == sorted(ids, reverse=True)


async def test_overlong_note_is_rejected_with_its_reason(account: Account) -> None:
    lead_id = next(iter(account.clinic.leads))
    with pytest.raises(Exception, match="TooLong"):
        await account.client().add_notes("leads", [NewNote(lead_id, "ы" * 20_001)])


@pytest.mark.parametrize("kind", ["reset_after_commit", "timeout", "invalid_json"])
async def test_note_whose_answer_is_lost_is_written_once_and_found_again(
    account: Account, kind: str
) -> None:
    lead_id = next(iter(account.clinic.leads))
    account.spoil(kind, match="POST")
    async with open_client(read_seconds=0.5) as http:
        client = account.client(http=http)
        with pytest.raises(AnswerLostError):
            await client.add_notes("leads", [NewNote(lead_id, "#medai:7")])
        [found] = await client.entity_notes("leads", lead_id, note_type="common")
    assert found.text == "#medai:7"
    assert account.sandbox.control.bill()["notes"] == 1


@pytest.mark.parametrize("kind", ["server_error", "gateway_html", "reset", "reset_after_commit"])
async def test_reading_survives_two_failures(account: Account, kind: str) -> None:
    account.spoil(kind, times=2, match="events")
    assert len(await found_calls(account.client(), account.window)) == len(account.clinic.calls)
    assert len(account.slept) == 2


async def test_gateway_timeouts_split_batches_without_losing_a_note(account: Account) -> None:
    account.spoil("gateway_html", times=3, match="notes", status=504)
    notes = await found_calls(account.client(), account.window)
    assert facts(notes) == true_facts(account.clinic)
    assert account.slept == []


@pytest.mark.parametrize("kind", ["rate_limit_json", "rate_limit_html"])
async def test_rate_limit_is_waited_out(account: Account, kind: str) -> None:
    account.spoil(kind, seconds=3)
    assert (await account.client().account()).id == account.clinic.account_id
    [wait] = account.slept
    assert wait == pytest.approx(3 if kind == "rate_limit_json" else 5, abs=1)


async def test_real_limit_of_the_account_is_named_with_its_wait(account: Account) -> None:
    account.order("/options", requests_per_second=1, retry_after=300)
    client = account.client()
    with pytest.raises(ProviderRateLimitedError) as caught:
        await asyncio.gather(*(client.account() for _ in range(4)))
    assert caught.value.retry_after == pytest.approx(300, abs=1)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("forbidden_html", ProviderStoppedError),
        ("payment_required", ProviderStoppedError),
        ("html_ok", ProviderAnswerError),
        ("invalid_json", ProviderAnswerError),
    ],
)
async def test_hopeless_answers_are_not_repeated(
    account: Account, kind: str, error: type[Exception]
) -> None:
    account.spoil(kind)
    with pytest.raises(error):
        await account.client().account()
    assert account.asked() == 1


async def test_nobody_listening_is_unavailable(account: Account, unused: int) -> None:
    tokens = account.tokens(MemoryStore(TokenPair("t", None, datetime.max.replace(tzinfo=UTC))))
    address = f"http://127.0.0.1:{unused}"
    client = AmocrmClient(address, account.http, tokens, _at_once, sleep=account._sleep)
    with pytest.raises(ProviderUnavailableError):
        await client.add_notes("leads", [NewNote(1, "т")])


@pytest.fixture
def unused() -> Iterator[int]:
    with socket.socket() as bound:  # bound but not listening: connections are refused
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


async def connected(account: Account) -> MemoryStore:
    """The store after the consent: a code traded for the first pair."""
    code = account.order("/code")["code"]
    pair = await oauth.exchange_code(account.http, account.base, account.app, code)
    return MemoryStore(pair)


async def test_hundred_workers_with_an_expired_token_cause_one_refresh(account: Account) -> None:
    store = await connected(account)
    assert store.pair is not None
    assert store.pair.refresh is not None
    store.pair = TokenPair(store.pair.access, store.pair.refresh, datetime.now(UTC))
    clients = [account.client(account.tokens(store)) for _ in range(100)]
    found = await asyncio.gather(*(client.account() for client in clients))
    assert {item.id for item in found} == {account.clinic.account_id}
    assert account.asked_of(TOKEN_PATH) == 2  # the exchange and one refresh
    assert len(store.saved) == 1


async def test_revoked_access_is_refreshed_once_by_all_workers(account: Account) -> None:
    store = await connected(account)
    clients = [account.client(account.tokens(store)) for _ in range(20)]
    await asyncio.gather(*(client.account() for client in clients))
    account.order("/revoke-access")
    await asyncio.gather(*(client.account() for client in clients))
    assert account.asked_of(TOKEN_PATH) == 2


async def test_switched_off_integration_asks_to_be_connected_again(account: Account) -> None:
    store = await connected(account)
    client = account.client(account.tokens(store))
    account.order("/revoke-all")
    for _ in range(3):
        with pytest.raises(ProviderStoppedError, match="заново"):
            await client.account()
    assert account.asked_of(TOKEN_PATH) == 2
    store.pair = (await connected(account)).pair
    assert (await client.account()).id == account.clinic.account_id


async def test_used_code_says_so(account: Account) -> None:
    exchange = partial(oauth.exchange_code, account.http, account.base, account.app)
    code = account.order("/code")["code"]
    pair = await exchange(code)
    assert timedelta(hours=23) < pair.expires_at - datetime.now(UTC) < timedelta(hours=25)
    with pytest.raises(ProviderStoppedError, match="20 минут"):
        await exchange(code)


async def test_wrong_secret_says_so(account: Account) -> None:
    app = OAuthApp(account.clinic.client_id, "wrong", account.clinic.redirect_url)
    with pytest.raises(ProviderStoppedError, match="client_secret"):
        await oauth.exchange_code(account.http, account.base, app, "x")


@pytest.mark.parametrize("filters", ["on", "ignore", "reject"])
async def test_leads_of_a_day_are_found_with_and_without_the_paid_filter(
    account: Account, filters: str
) -> None:
    account.order("/options", filters=filters)
    leads = account.clinic.leads
    moments = sorted(int(str(lead["created_at"])) for lead in leads.values())
    first, last = moments[len(moments) // 3], moments[len(moments) // 2]
    expected = {i for i, lead in leads.items() if first <= int(str(lead["created_at"])) < last}
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in (first, last))

    found = await account.client().leads_created(start, end)

    assert {lead.id for lead in found} == expected
    assert 0 < len(found) < len(leads)
    times = [lead.created_at for lead in found if lead.created_at]
    assert times == sorted(times, reverse=True)


async def test_a_page_of_the_log_is_newest_first_and_names_the_next(account: Account) -> None:
    client, (start, end) = account.client(), account.window
    log = {call.event_id for call in account.clinic.calls}
    log |= {event.id for event in account.clinic.events}
    pages = [await client.event_page((), start, end, number=n, size=20) for n in (1, 2)]
    assert [len(page.events) for page in pages] == [20, 20]
    assert pages[0].has_next
    times = [event.created_at for page in pages for event in page.events]
    assert times == sorted(times, reverse=True)
    assert {event.id for page in pages for event in page.events} <= log
    calls = await client.event_page(CALLS, None, None, number=1, size=100)
    assert {event.id for event in calls.events} == {c.event_id for c in account.clinic.calls}
    assert not calls.has_next
    beyond = await client.event_page(CALLS, None, start, number=1, size=100)
    assert (beyond.events, beyond.has_next) == ((), False)


@pytest.mark.parametrize("batch_size", [100, 1])
async def test_notes_of_cards_are_theirs_and_newest_first(
    account: Account, batch_size: int
) -> None:
    client = account.client(batch_size=batch_size)
    calls = [call for call in account.clinic.calls if call.collection == "contacts"]
    cards = sorted({call.entity_id for call in calls})[:5]
    found = await client.card_notes("contacts", cards, at_most=1000)
    assert {note.id for note in found} == {c.note_id for c in calls if c.entity_id in cards}
    for card in cards:
        ids = [note.id for note in found if note.entity_id == card]
        assert ids == sorted(ids, reverse=True)
    assert len(await client.card_notes("contacts", cards, at_most=2)) == 2
