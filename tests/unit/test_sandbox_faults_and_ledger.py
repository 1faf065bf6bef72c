"""The script of misbehaviour and the counts that runs are compared with."""

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from medai.sandbox.bill import bill
from medai.sandbox.connection import with_transport
from medai.sandbox.faults import KINDS, TARGETS, Fault, Faults, UnknownFaultError
from medai.sandbox.ledger import Ledger, busiest_second


def test_a_fault_spoils_only_matching_requests_and_only_so_often() -> None:
    faults = Faults()
    faults.add("openai", Fault("refusal", times=2, match="/responses"))
    assert faults.take("openai", "GET /v1/models") is None
    assert faults.take("elevenlabs", "POST /v1/responses") is None
    kinds = [faults.take("openai", "POST /v1/responses") for _ in range(3)]
    assert [fault.kind if fault else None for fault in kinds] == ["refusal", "refusal", None]


def test_faults_of_one_target_happen_in_their_order() -> None:
    faults = Faults()
    faults.add("amocrm", Fault("server_error"))
    faults.add("amocrm", Fault("payment_required"))
    taken = [faults.take("amocrm", "GET /x") for _ in range(2)]
    assert [fault.kind for fault in taken if fault] == ["server_error", "payment_required"]


def test_zero_times_means_until_cleared() -> None:
    faults = Faults()
    faults.add("telegram", Fault("blocked", times=0))
    assert all(faults.take("telegram", "POST /sendMessage") for _ in range(5))
    faults.clear()
    assert faults.take("telegram", "POST /sendMessage") is None
    assert not any(faults.pending().values())


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("openai", Fault("late_link")),
        ("openai", Fault("no such kind")),
        ("fax", Fault("slow")),
        ("openai", Fault("refusal", times=-1)),
    ],
)
def test_typing_mistakes_are_refused(target: str, fault: Fault) -> None:
    with pytest.raises(UnknownFaultError):
        Faults().add(target, fault)  # type: ignore[arg-type]


def test_every_kind_names_known_targets() -> None:
    assert all(meaning and set(known) <= set(TARGETS) for meaning, known in KINDS.values())


@pytest.mark.parametrize(
    ("moments", "most"),
    [
        ([], 0),
        ([1.0, 1.999, 2.0], 2),
        ([1.5, 1.6, 2.4, 2.45, 2.55], 4),
        ([3.0, 1.0, 2.0], 1),
    ],
)
def test_busiest_second_slides(moments: list[float], most: int) -> None:
    assert busiest_second(moments) == most


def test_the_bill_sums_what_happened() -> None:
    times = iter([0.0, 0.1, 0.2])
    ledger = Ledger(monotonic=lambda: next(times))
    for account in ("alpha", "alpha", "beta"):
        ledger.crm_request(account, "GET", "/api/v4/events")
    ledger.note_written("alpha", "leads", 1, 10)
    ledger.recognised("aa", seconds=10, channels=2, model="scribe_v2")
    ledger.recognised("aa", seconds=10, channels=1, model="scribe_v2")
    ledger.recognised("bb", seconds=10, channels=1, model="scribe_v2", billed=False)
    ledger.llm_request("CallScoring", 100, 20, cached_tokens=40)
    found = bill(ledger)
    assert (found["crm_requests"], found["crm_max_requests_in_one_second"]) == (3, 2)
    assert found["notes_by_card"] == {"alpha/leads/1": 1}
    assert (found["stt_paid"], found["stt_paid_by_sha256"]) == (2, {"aa": 2})
    assert (found["stt_audio_seconds"], found["stt_billed_seconds"]) == (20, 30)
    assert found["llm_requests_by_kind"] == {"CallScoring": 1}
    assert (found["llm_input_tokens"], found["llm_cached_tokens"]) == (100, 40)
    assert found["llm_output_tokens"] == 20
    ledger.clear()
    assert bill(ledger)["crm_requests"] == 0


async def test_a_client_that_has_gone_is_nobodys_failure() -> None:
    async def read_by(error: Exception) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            raise error

        async def silent() -> Message:
            return {"type": "http.disconnect"}

        async def unheard(message: Message) -> None:
            return None

        await with_transport(app)({"type": "http"}, silent, unheard)

    await read_by(ClientDisconnect())
    with pytest.raises(KeyError):
        await read_by(KeyError())
