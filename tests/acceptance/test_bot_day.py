"""The bot with a CRM and workers: a day is read, a call transcribed and scored from the chat."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fixtures.bot_chat import Person, Talk, answer_to, bot_at_work, labels, text_of
from tests.fixtures.call_library import Library
from tests.fixtures.clinic_at_work import TODAY, ClinicAtWork, opened_clinic
from tests.fixtures.sandbox import RunningSandbox
from tests.fixtures.service import doors_of, working

from medai.members.models import Role
from medai.sandbox.credentials import BOT_TOKEN


@pytest.fixture
async def clinic(
    sandbox: RunningSandbox, prepared_dsn: str, tmp_path: Path
) -> AsyncIterator[ClinicAtWork]:
    settings = {"bot_token": BOT_TOKEN, "telegram_api_base_url": f"{sandbox.url}/telegram"}
    async for opened in opened_clinic(sandbox, prepared_dsn, tmp_path / "data", 0, **settings):
        yield opened


async def ended(person: Person) -> dict[str, object]:
    """The deed that ends an errand."""
    (deed,) = await person.hear(1)
    while text_of(deed).startswith("⏳"):
        (deed,) = await person.hear(1)
    return deed


async def test_a_day_is_read_and_a_call_scored(clinic: ClinicAtWork) -> None:
    app = clinic.app
    async with (
        doors_of(app) as doors,
        working(app),
        bot_at_work(app) as messenger,
    ):
        talk = Talk(Library(doors, clinic.clock), clinic.sandbox, messenger)
        person = await talk.member("owner", Role.OWNER, clinic.client_id)
        await person.write("/leads")
        (reading,) = await person.tap("Сегодня")
        assert "Загружаю звонки за 19.11.2026" in text_of(reading)
        leads = await ended(person)
        stored = [call async for call in app.calls.of_days(clinic.client_id, TODAY)]
        shown = [call for call in stored if call.skip_reason is None]
        assert text_of(leads).split("\n")[1].startswith(f"{len(shown)}\N{NO-BREAK SPACE}звон")

        wanted = next(call for call in shown if call.note_id == 1000004)
        await talk.with_button(person, "Звонок", f"c:{wanted.id}:s")
        await person.tap("Звонок")
        await talk.with_button(person, "Оцени", f"c:{wanted.id}:a")
        await person.tap("Оцени")
        refused = await ended(person)
        assert "сначала запустите расшифровку" in text_of(refused)

        await talk.with_button(person, "Расшифруй", f"c:{wanted.id}:t")
        await person.tap("Расшифруй")
        card = await ended(person)
        assert "Расшифровка: готова ✅" in text_of(card)
        await person.tap("📊 Оценка")
        scored = await ended(person)
        assert "Общая оценка:" in text_of(scored)
        assert "Рекомендации" in "".join(text_of(one) for one in person.heard[-3:])


async def test_a_stored_day_is_shown_at_once_and_read_again_on_wish(clinic: ClinicAtWork) -> None:
    await clinic.sync()
    app = clinic.app
    async with doors_of(app) as doors, bot_at_work(app) as messenger:
        talk = Talk(Library(doors, clinic.clock), clinic.sandbox, messenger)
        person = await talk.member("owner", Role.OWNER, clinic.client_id)
        await person.write("/leads")
        (leads,) = await person.tap("Сегодня")
        assert "Звонки за 19.11.2026" in text_of(leads)
        assert "🔄 Обновить из amoCRM" in labels(leads["message"])
        label = await person.full("🔄 Обновить")
        for _ in range(2):  # two taps, one reading
            tapped = await person.post("/telegram/tap", chat_id=person.id, label=label)
        (reading,) = await person.hear(1)
        assert text_of(reading).startswith("⏳")
        assert (await answer_to(person, tapped)).startswith("Это уже выполняется")
        told = await ended(person)  # nobody works
        assert "Обработчики не запущены" in text_of(told)
        begun = [one for one in person.heard if one["deed"] == "sent" and "⏳" in text_of(one)]
        assert len(begun) == 1
        assert "Звонки за 19.11.2026" in text_of(told)
