"""Dialogues and errands of the bot over both document stores."""

from datetime import timedelta

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import StorageKey
from tests.fixtures.transcription import SettableClock

from medai.bot.collections import BOT_DIALOGUES, BOT_ERRANDS
from medai.bot.errands.ledger import ErrandKind, ErrandLedger
from medai.bot.storage import LIFE, DocumentStorage
from medai.infra.documents import Documents

KEY, OTHER = StorageKey(42, 501, 501), StorageKey(42, 502, 502)


async def test_a_dialogue_is_kept_for_its_life(documents: Documents) -> None:
    await documents.prepare([BOT_DIALOGUES])
    clock = SettableClock()
    storage = DocumentStorage(documents, clock)
    assert await storage.get_state(KEY) is None
    assert await storage.get_data(KEY) == {}

    await storage.set_state(KEY, State("day", "Leads"))
    await storage.set_data(KEY, {"names": ["Анна", "<b>"], "first": "2026-11-19"})
    again = DocumentStorage(documents, clock)
    assert await again.get_state(KEY) == "Leads:day"
    assert await again.get_data(KEY) == {"names": ["Анна", "<b>"], "first": "2026-11-19"}
    assert await again.update_data(KEY, {"first": "2026-11-18"}) == {
        "names": ["Анна", "<b>"], "first": "2026-11-18",
    }  # fmt: skip
    assert await again.get_state(OTHER) is None

    clock.pass_time(LIFE)
    assert await storage.get_state(KEY) == "Leads:day"
    clock.pass_time(timedelta(milliseconds=1))
    assert await storage.get_state(KEY) is None
    assert await storage.get_data(KEY) == {}
    await storage.set_state(KEY, "Report:first")
    assert await storage.get_data(KEY) == {}  # nothing of the old dialogue comes back


async def test_forgotten_dialogues_are_deleted(documents: Documents) -> None:
    await documents.prepare([BOT_DIALOGUES])
    clock = SettableClock()
    storage = DocumentStorage(documents, clock)
    await storage.set_state(KEY, "one")
    clock.pass_time(timedelta(hours=1))
    await storage.set_state(OTHER, "two")
    assert await storage.forget(clock()) == 1
    left = [one["_id"] async for one in documents.find(BOT_DIALOGUES, {}, sort=())]
    assert left == ["42:502:502:0:default"]


async def test_one_errand_of_a_kind_and_each_part_once(documents: Documents) -> None:
    await documents.prepare([BOT_ERRANDS])
    ledger = ErrandLedger(documents, SettableClock())
    errand = await ledger.begin(ErrandKind.REPORT, 501, "c", 7, ("2026-11-19",))
    assert errand is not None
    assert await ledger.begin(ErrandKind.REPORT, 501, "c", 8, ()) is None
    assert await ledger.begin(ErrandKind.DAY, 501, "c", 9, ()) is not None
    assert await ledger.delivers(errand, "chart")
    assert not await ledger.delivers(errand, "chart")
    assert await ledger.delivers(errand, "pdf")
    stored = {one.kind: one async for one in ledger.all()}
    assert stored[ErrandKind.REPORT].delivered == ("chart", "pdf")
    assert stored[ErrandKind.REPORT].args == ("2026-11-19",)
    await ledger.end(errand)
    assert [one.kind async for one in ledger.all()] == [ErrandKind.DAY]
