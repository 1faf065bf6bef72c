"""Whatever a button carries, nothing of another clinic is shown: a property over callback data."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fixtures.bot_chat import ADMINISTRATOR, FOREIGN, OWN, Talk
from tests.fixtures.clinic_day import DAY
from tests.fixtures.report_calls import full_analysis

from medai.analysis.repository import AnalysisRepository
from medai.bot.keyboards.people import clinic_key
from medai.calls.models import Call
from medai.digests.patients import alert_of
from medai.members.models import Role
from medai.processing.digests.patients import PATIENT_ALERTS

MARK = "ЧУЖОЕ"
PHONE = "+79000000099"
_updates = count(1)


@dataclass(slots=True)
class Boundary:
    """A bot with a full foreign clinic, and people of the own one who tap anything."""

    talk: Talk
    calls: list[str]
    alerts: list[str]
    others: list[str]

    @property
    def ids(self) -> list[str]:
        """Whatever a button may name."""
        return [*self.calls, *self.alerts, *self.others]

    async def tap(self, person_id: int, data: str) -> None:
        """The tap as Telegram delivers it."""
        user = {"id": person_id, "is_bot": False, "first_name": "Ольга"}
        chat = {"id": person_id, "type": "private"}
        message = {"message_id": 1, "date": 1, "chat": chat, "from": user, "text": "старое"}
        query = {"id": "0", "from": user, "chat_instance": "c", "data": data, "message": message}
        update = {"update_id": next(_updates), "callback_query": query}
        messenger = self.talk.messenger
        await messenger.dispatcher.feed_raw_update(messenger.bot, update)
        await self.talk.messenger.errands.stop(person_id)

    def shown(self) -> str:
        """Everything that any chat has ever shown, files' names included."""
        return str(self.talk.sandbox.control.get("/telegram/log"))


@pytest.fixture(params=[Role.ADMINISTRATOR, Role.OWNER])
async def boundary(request: pytest.FixtureRequest, talk: Talk) -> Boundary:
    strange = {"lead_name": MARK, "contact_name": MARK, "phone": PHONE, "lead_id": 777}
    calls: list[Call] = []
    for note, name in ((101, f"{MARK} Петров"), (102, ADMINISTRATOR)):  # one is of our name
        calls.append(
            await talk.library.add_done(note, client_id=FOREIGN, administrator=name, **strange)
        )
        full = full_analysis(calls[-1].id, {"greeting": 8})
        quoted = full.model_copy(update={"client_id": FOREIGN, "recommendations": (MARK,)})
        await AnalysisRepository(talk.app.documents).save(quoted)
    colleague = {"lead_name": MARK, "phone": PHONE, "administrator": f"{MARK} Иванов"}
    if request.param is Role.ADMINISTRATOR:  # an owner sees the colleague's
        calls.append(await talk.library.add_done(103, **colleague))
    await talk.library.add(104, administrator=ADMINISTRATOR)
    await talk.member("foreigner", Role.OWNER, FOREIGN)
    await talk.app.members.named(503, MARK)
    invitation, _ = await talk.app.invitations.create(FOREIGN, Role.OWNER, by="cli")
    await talk.member("administrator", request.param)
    alerts = [await alerted(talk, call) for call in calls]
    others = [
        "777",
        "101",
        "501",
        "503",
        "502",
        invitation.id,
        clinic_key(FOREIGN),
        clinic_key(OWN),
    ]
    others += [FOREIGN, DAY.strftime("%Y%m%d"), "202611", "", "-1", "0", "1"]
    return Boundary(talk, [call.id for call in calls], alerts, others)


async def alerted(talk: Talk, call: Call) -> str:
    """The id of a stored alert about the call; nobody was told of it."""
    alert = alert_of(call, talk.library.clock())
    fields = alert.model_dump()
    stored = {"_id": fields.pop("id"), **fields, "stale": False}
    await talk.app.documents.insert(PATIENT_ALERTS, stored)
    return alert.id


PREFIXES = ["g", "d", "da", "l", "c", "r", "m", "dp", "w", "y", "n", "q", "k", "i", "iw", "o",
            "al", "op",
            "lead_", "call_", "transcribe_", "analyze_", "download_transcript_"]  # fmt: skip
WORDS = ["s", "t", "x", "a", "r", "w", "q", "o", "home", "days", "date", "rep", "prof", "ppl",
         "inv", "owner", "morning", "0", "1", "-1", "-2", "99"]  # fmt: skip


def taps(ids: list[str]) -> st.SearchStrategy[str]:
    """Well-formed data with foreign ids, and data of any form."""
    part = st.sampled_from(ids) | st.sampled_from(WORDS)
    formed = st.tuples(st.sampled_from(PREFIXES), st.lists(part, min_size=1, max_size=3))
    return formed.map(lambda one: ":".join([one[0], *one[1]])) | st.text(max_size=32)


async def test_no_tap_reaches_what_is_not_the_persons_own(boundary: Boundary) -> None:
    """Of one clinic's administrator, from whom colleagues' calls are kept too, and its owner."""
    person = boundary.talk.person("administrator").id
    tried: list[str] = []

    @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck))
    @given(data=taps(boundary.ids))
    def collect(data: str) -> None:
        tried.append(data)

    collect()
    every_call = [f"c:{one}:{act}" for one in boundary.calls for act in "stxar"]
    every_call += [f"op:{one}" for one in boundary.calls]
    every_alert = [f"al:{one}:{do}" for one in boundary.alerts for do in "tcbru"]
    for data in [*every_call, *every_alert, *(f"l:{one}:0" for one in boundary.calls), *tried]:
        await boundary.tap(person, data)
        member = await boundary.talk.app.members.member(person)
        assert member is not None
        assert member.client_id == OWN, data

    shown: Any = boundary.shown()
    assert "Что-то пошло не так" not in shown
    assert shown.count("Звонок не найден") > len(every_call)
    assert MARK not in shown
    assert PHONE not in shown
    for name in boundary.calls:
        assert name not in shown
    assert shown.count("Оповещение не найдено") >= len(every_alert)
    async for alert in boundary.talk.app.documents.find(PATIENT_ALERTS, {}, sort=()):
        assert (alert["claimed_by"], alert["outcome"]) == (None, None)
    members = [one.telegram_id async for one in boundary.talk.app.members.of_clinic(FOREIGN)]
    assert members == [503]
    opened = [one async for one in boundary.talk.app.access_log.newest(None, 1000)]
    assert not [one for one in opened if one.by == f"telegram:{person}"]
    for name in boundary.calls:
        call = await boundary.talk.app.calls.get(name)
        assert call is not None
        assert call.run_id is None
