"""The same audio is never paid twice unseen: on both document stores, with crashes and races."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.fixtures.ledger import MemoryEffects
from tests.fixtures.transcription import (
    MONO,
    STEREO,
    KilledError,
    MemoryFiles,
    ScriptedSpeech,
    SettableClock,
    make_call,
)

from medai.errors import (
    AnswerLostError,
    ConflictError,
    MedaiError,
    ProviderAnswerError,
    ProviderRateLimitedError,
    ProviderRejectedError,
    ProviderStoppedError,
    ProviderUnavailableError,
    SettingsError,
    StoreError,
)
from medai.infra.documents import Change, Documents
from medai.integrations.elevenlabs.client import _GRACE_SECONDS
from medai.ledger.models import Consumption, Intent, Outcome, Subject
from medai.transcription.ledger import Payment, PaymentState
from medai.transcription.models import Role
from medai.transcription.paid_once import START_WITHIN, lease_for
from medai.transcription.repository import COLLECTIONS
from medai.transcription.service import TranscriptionService

AUDIO = b"sound of one call"
LEASE = timedelta(minutes=7)
LOST = AnswerLostError("speech", "Ответ потерян")


class Bench:
    """Workers that share stores, clock and provider."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.files = MemoryFiles()
        self.clock = SettableClock()
        self.effects = MemoryEffects()

    def worker(self, speech: ScriptedSpeech, *, repeats: int = 1) -> TranscriptionService:
        return TranscriptionService(
            self.documents, self.files, speech, self.effects, self.clock,
            repeats_after_lost_answer=repeats, lease=LEASE,
        )  # fmt: skip

    async def payment(self, worker: TranscriptionService) -> Payment | None:
        for name in self.files.stored:
            if name.endswith(".json"):
                return await worker.payments.get(name.removeprefix("recognitions/")[:-5])
        async for one in worker.payments.held():
            return one
        return None


@pytest.fixture
async def bench(documents: Documents) -> Bench:
    await documents.prepare(COLLECTIONS)
    return Bench(documents)


async def test_two_calls_with_the_same_audio_are_paid_once(bench: Bench) -> None:
    speech = ScriptedSpeech()
    worker = bench.worker(speech)
    first = await worker.transcribe(make_call(1), AUDIO, MONO)
    second = await worker.transcribe(make_call(2), AUDIO, MONO)
    assert speech.requests == 1
    assert first.utterances == second.utterances
    assert await worker.get(make_call(2).id) == second


async def test_the_next_request_may_start_once_the_answer_is_safe(bench: Bench) -> None:
    speech = ScriptedSpeech()
    worker = bench.worker(speech)
    seen: list[tuple[int, bool]] = []

    async def answered() -> None:
        payment = await bench.payment(worker)  # by its stored answer
        seen.append((speech.requests, payment is not None and payment.state != "done"))

    await worker.transcribe(make_call(1), AUDIO, MONO, answered=answered)
    await worker.transcribe(make_call(2), AUDIO, MONO, answered=answered)  # asks for nothing
    assert seen == [(1, True)]


async def test_other_parameters_are_another_work(bench: Bench) -> None:
    speech = ScriptedSpeech()
    worker = bench.worker(speech)
    mono = await worker.transcribe(make_call(1), AUDIO, MONO)
    stereo = await worker.transcribe(make_call(2), AUDIO, STEREO)
    assert speech.requests == 2
    assert mono.roles_source == "phrases"
    assert stereo.roles_source == "channels"


async def test_of_two_workers_at_once_one_pays_and_the_other_comes_back(bench: Bench) -> None:
    speech = ScriptedSpeech()
    speech.gate = asyncio.Event()
    paying = asyncio.create_task(bench.worker(speech).transcribe(make_call(), AUDIO, MONO))
    await speech.arrived.wait()
    with pytest.raises(ConflictError):
        async with asyncio.timeout(10):  # a second payment would wait at the gate for ever
            await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    speech.gate.set()
    transcript = await paying
    assert await bench.worker(speech).transcribe(make_call(), AUDIO, MONO) == transcript
    assert speech.requests == 1


async def test_many_workers_at_once_pay_once(bench: Bench) -> None:
    speech = ScriptedSpeech()
    results = await asyncio.gather(
        *(bench.worker(speech).transcribe(make_call(n), AUDIO, MONO) for n in range(12)),
        return_exceptions=True,
    )
    assert speech.requests == 1
    assert all(not isinstance(one, BaseException) or isinstance(one, ConflictError)
               for one in results)  # fmt: skip


async def test_a_process_killed_in_flight_is_repeated_once_and_counted(bench: Bench) -> None:
    speech = ScriptedSpeech(KilledError())
    with pytest.raises(KilledError):
        await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    reborn = bench.worker(speech)
    with pytest.raises(ConflictError):  # the dead process may still be waiting for its answer
        await reborn.transcribe(make_call(), AUDIO, MONO)
    bench.clock.pass_time(LEASE)
    await reborn.transcribe(make_call(), AUDIO, MONO)
    doubtful = [one async for one in reborn.payments.possibly_paid_twice("clinic-1")]
    assert speech.requests == 2
    assert [(one.attempt, one.possibly_paid_twice) for one in doubtful] == [(2, 1)]
    assert doubtful[0].state is PaymentState.DONE


async def test_two_workers_cannot_both_repeat(bench: Bench) -> None:
    speech = ScriptedSpeech(KilledError())
    with pytest.raises(KilledError):
        await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    bench.clock.pass_time(LEASE)
    speech.gate = asyncio.Event()
    tries = [
        asyncio.create_task(bench.worker(speech, repeats=9).transcribe(make_call(), AUDIO, MONO))
        for _ in range(6)
    ]
    done, waiting = await asyncio.wait(tries, return_when="FIRST_COMPLETED")
    while len(waiting) > 1:
        more, waiting = await asyncio.wait(waiting, return_when="FIRST_COMPLETED")
        done |= more
    assert all(isinstance(one.exception(), ConflictError) for one in done)
    speech.gate.set()
    await asyncio.gather(*waiting)
    assert speech.requests == 2


async def test_a_stale_view_of_an_entry_cannot_claim_it(bench: Bench) -> None:
    worker = bench.worker(ScriptedSpeech(LOST))
    with pytest.raises(AnswerLostError):
        await worker.transcribe(make_call(), AUDIO, MONO)
    (seen,) = [one async for one in worker.payments.held()]
    first, second = (Change(set={"owner": name, "state": "unknown"}) for name in ("one", "two"))
    assert await worker.payments.change(seen, first)
    assert not await worker.payments.change(seen, second)


async def test_killed_after_the_raw_answer_was_stored_costs_nothing(bench: Bench) -> None:
    speech = ScriptedSpeech()
    bench.files.kill_after_write = True
    with pytest.raises(KilledError):
        await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    bench.files.kill_after_write = False
    reborn = bench.worker(speech)
    transcript = await reborn.transcribe(make_call(), AUDIO, MONO)
    payment = await bench.payment(reborn)
    assert speech.requests == 1
    assert transcript.utterances
    assert payment is not None
    assert payment.state is PaymentState.DONE
    assert payment.possibly_paid_twice == 0


async def test_with_no_repeats_a_lost_answer_waits_for_a_person(bench: Bench) -> None:
    speech = ScriptedSpeech(LOST)
    worker = bench.worker(speech, repeats=0)
    call = make_call()
    for _ in range(3):
        with pytest.raises(AnswerLostError):
            await worker.transcribe(call, AUDIO, MONO)
    assert speech.requests == 1
    (held,) = [one async for one in worker.awaiting_decision()]
    assert await worker.payments.allow_repeat(held)
    assert not await worker.payments.allow_repeat(held)  # a second click allows no third request
    assert not [one async for one in worker.awaiting_decision()]
    await worker.transcribe(call, AUDIO, MONO)
    assert speech.requests == 2
    assert [one async for one in worker.payments.possibly_paid_twice("clinic-1")]


async def test_a_killed_process_with_no_repeats_is_held(bench: Bench) -> None:
    speech = ScriptedSpeech(KilledError())
    worker = bench.worker(speech, repeats=0)
    with pytest.raises(KilledError):
        await worker.transcribe(make_call(), AUDIO, MONO)
    bench.clock.pass_time(LEASE)
    with pytest.raises(AnswerLostError):
        await worker.transcribe(make_call(), AUDIO, MONO)
    held = [one async for one in worker.payments.held()]
    assert [one.reason for one in held] == ["answer_lost"]
    assert speech.requests == 1


@pytest.mark.parametrize("loss", [LOST, ProviderAnswerError("speech", "Не читается")])
async def test_a_lost_answer_is_repeated_only_as_often_as_allowed(
    bench: Bench, loss: MedaiError
) -> None:
    speech = ScriptedSpeech(loss, loss, loss, loss)
    worker = bench.worker(speech, repeats=1)
    for _ in range(4):
        with pytest.raises((AnswerLostError, ProviderAnswerError)):
            await worker.transcribe(make_call(), AUDIO, MONO)
    assert speech.requests == 2
    held = [one async for one in worker.payments.held()]
    assert [(one.attempt, one.possibly_paid_twice) for one in held] == [(2, 1)]


@pytest.mark.parametrize(
    "refusal",
    [
        ProviderUnavailableError("speech", "Недоступен"),
        ProviderRateLimitedError("speech", "Подождите"),
        ProviderRejectedError("speech", "Отклонено"),
        ProviderStoppedError("speech", "Нет средств"),
        SettingsError("Нет ключа"),
    ],
    ids=lambda error: error.code,
)
async def test_work_that_was_not_done_leaves_no_trace(bench: Bench, refusal: MedaiError) -> None:
    speech = ScriptedSpeech(refusal)
    worker = bench.worker(speech, repeats=0)
    with pytest.raises(type(refusal)):
        await worker.transcribe(make_call(), AUDIO, MONO)
    await worker.transcribe(make_call(), AUDIO, MONO)
    payment = await bench.payment(worker)
    assert payment is not None
    assert (payment.attempt, payment.possibly_paid_twice) == (1, 0)


async def test_a_repeat_that_was_not_carried_out_is_not_counted(bench: Bench) -> None:
    speech = ScriptedSpeech(LOST, ProviderUnavailableError("speech", "Недоступен"))
    worker = bench.worker(speech, repeats=1)
    with pytest.raises(AnswerLostError):
        await worker.transcribe(make_call(), AUDIO, MONO)
    with pytest.raises(ProviderUnavailableError):
        await worker.transcribe(make_call(), AUDIO, MONO)
    await worker.transcribe(make_call(), AUDIO, MONO)
    payment = await bench.payment(worker)
    assert payment is not None
    assert (payment.attempt, payment.possibly_paid_twice) == (2, 1)


async def test_a_late_answer_of_an_abandoned_request_is_kept(bench: Bench) -> None:
    slow, speech = ScriptedSpeech(), ScriptedSpeech()
    slow.gate = asyncio.Event()
    late = asyncio.create_task(bench.worker(slow).transcribe(make_call(), AUDIO, MONO))
    await slow.arrived.wait()
    bench.clock.pass_time(LEASE)
    with pytest.raises(AnswerLostError):
        await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    slow.gate.set()
    transcript = await late
    assert await bench.worker(speech).transcribe(make_call(), AUDIO, MONO) == transcript
    assert speech.requests == 0


async def test_a_file_store_that_stumbles_does_not_lose_a_paid_answer(bench: Bench) -> None:
    speech = ScriptedSpeech()
    bench.files.failures = [StoreError("Хранилище недоступно")]
    await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    await bench.worker(speech).transcribe(make_call(2), AUDIO, MONO)
    assert speech.requests == 1


async def test_a_vanished_answer_file_is_a_lost_answer(bench: Bench) -> None:
    speech = ScriptedSpeech()
    await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    bench.files.stored.clear()
    with pytest.raises(AnswerLostError):
        await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    assert speech.requests == 1


async def test_a_swap_by_a_person_survives_a_second_run_and_costs_nothing(bench: Bench) -> None:
    speech = ScriptedSpeech()
    worker = bench.worker(speech)
    call = make_call()
    made = await worker.transcribe(call, AUDIO, STEREO)
    assert made.utterances[0].role is Role.ADMINISTRATOR
    swapped = await worker.swap_roles(call.id)
    again = await worker.transcribe(call, AUDIO, STEREO)
    assert again == swapped == await worker.get(call.id)
    assert again.utterances[0].role is Role.PATIENT
    assert (again.roles_source, again.roles_confidence) == ("manual", 1.0)
    assert speech.requests == 1


async def test_every_paid_request_is_an_effect(bench: Bench) -> None:
    speech = ScriptedSpeech(LOST)
    worker = bench.worker(speech)
    with pytest.raises(AnswerLostError):
        await worker.transcribe(make_call(), AUDIO, STEREO)
    assert bench.effects.states == ["unknown"]
    await worker.transcribe(make_call(), AUDIO, STEREO)
    await worker.transcribe(make_call(2), AUDIO, STEREO)
    assert bench.effects.states == ["unknown", "done"]
    first, second = bench.effects.intents.values()
    payment = await bench.payment(worker)
    assert payment is not None
    assert [first.id, second.id] == [f"{payment.id}:1", f"{payment.id}:2"]
    assert (first.kind, first.provider, first.model) == ("recognition", "scripted", "scripted-1")
    assert first.subject == Subject(client_id="clinic-1", call_id=make_call().id)
    assert first.expected == Consumption(seconds=Decimal(24), channels=2)
    assert first.lease == LEASE
    used = bench.effects.outcomes[second.id].used
    assert used == Consumption(seconds=Decimal(25), channels=2)  # as the provider says


async def test_work_that_was_not_done_is_an_effect_that_failed(bench: Bench) -> None:
    speech = ScriptedSpeech(ProviderRateLimitedError("speech", "Подождите"))
    worker = bench.worker(speech)
    with pytest.raises(ProviderRateLimitedError):
        await worker.transcribe(make_call(), AUDIO, MONO)
    assert bench.effects.states == ["failed"]
    await worker.transcribe(make_call(), AUDIO, MONO)
    assert bench.effects.states == ["done"]  # the same attempt, taken up again


async def test_a_stored_answer_finishes_the_effect_of_a_dead_process(bench: Bench) -> None:
    speech = ScriptedSpeech()
    bench.files.kill_after_write = True
    with pytest.raises(KilledError):
        await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    assert bench.effects.states == ["requested"]
    bench.files.kill_after_write = False
    await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    assert bench.effects.states == ["done"]
    assert speech.requests == 1


async def test_a_bill_that_could_not_be_written_is_written_by_the_next_attempt(
    bench: Bench,
) -> None:
    class Stumbling(MemoryEffects):
        async def finish(self, effect_id: str, outcome: Outcome) -> None:
            if self.stumbles:
                raise StoreError("Хранилище недоступно")
            await super().finish(effect_id, outcome)

        stumbles = True

    speech, effects = ScriptedSpeech(), Stumbling()
    bench.effects = effects
    with pytest.raises(StoreError):
        await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    assert effects.states == ["requested"]
    effects.stumbles = False
    await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    assert (effects.states, speech.requests) == (["done"], 1)


async def test_what_could_not_be_sent_in_time_is_not_sent_at_all(bench: Bench) -> None:
    """Its lease would end while it is under way, and another worker would pay beside it."""

    class Slow(MemoryEffects):
        async def begin(self, intent: Intent) -> str:
            bench.clock.pass_time(START_WITHIN + timedelta(seconds=1))
            return await super().begin(intent)

    speech, bench.effects = ScriptedSpeech(), Slow()
    with pytest.raises(ConflictError):
        await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    assert (bench.effects.states, speech.requests) == (["failed"], 0)
    bench.effects = MemoryEffects()
    await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    assert speech.requests == 1


def test_a_lease_outlives_the_slowest_start_and_the_longest_request() -> None:
    client_grace = timedelta(seconds=_GRACE_SECONDS)
    assert lease_for(30) >= START_WITHIN + timedelta(seconds=30) + client_grace


async def test_without_the_ledger_nothing_is_paid(bench: Bench) -> None:
    class Away(MemoryEffects):
        async def begin(self, intent: Intent) -> str:
            raise StoreError("Хранилище недоступно")

    speech, effects = ScriptedSpeech(), bench.effects
    bench.effects = Away()
    with pytest.raises(StoreError):
        await bench.worker(speech).transcribe(make_call(), AUDIO, MONO)
    bench.effects = effects
    await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    assert speech.requests == 1


async def test_a_lost_answer_stays_held_when_its_outcome_cannot_be_entered(bench: Bench) -> None:
    class Deaf(MemoryEffects):
        async def finish(self, effect_id: str, outcome: Outcome) -> None:
            raise StoreError("Хранилище недоступно")

    speech = ScriptedSpeech(LOST)
    bench.effects = Deaf()
    with pytest.raises(AnswerLostError):
        await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    with pytest.raises(AnswerLostError):
        await bench.worker(speech, repeats=0).transcribe(make_call(), AUDIO, MONO)
    assert speech.requests == 1


async def test_what_a_person_gave_up_is_never_paid_again(bench: Bench) -> None:
    speech = ScriptedSpeech(LOST)
    worker = bench.worker(speech, repeats=0)
    with pytest.raises(AnswerLostError):
        await worker.transcribe(make_call(), AUDIO, MONO)
    (held,) = [one async for one in worker.awaiting_decision()]
    assert await worker.payments.give_up(held)
    assert not [one async for one in worker.awaiting_decision()]
    for repeats in (0, 5):
        with pytest.raises(ProviderRejectedError, match="отклонена"):
            await bench.worker(speech, repeats=repeats).transcribe(make_call(), AUDIO, MONO)
    assert speech.requests == 1
