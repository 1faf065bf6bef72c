import pytest
from tests.fixtures.transcription import dialogue, make_call

from medai.calls.models import Direction
from medai.transcription.models import Role, Transcript
from medai.transcription.speakers import Roles, assign_roles, swap_roles, with_roles
from medai.transcription.utterances import Turn, turns


def talk(*lines: tuple[str, str]) -> tuple[Turn, ...]:
    return tuple(
        Turn(speaker, number * 3000, number * 3000 + 2500, text)
        for number, (speaker, text) in enumerate(lines)
    )


def roles(*lines: tuple[str, str], direction: Direction = Direction.UNKNOWN) -> Roles:
    return assign_roles(talk(*lines), direction)


def test_roles_named_by_the_provider_are_believed() -> None:
    found = roles(("customer", "клиника, чем могу помочь"), ("agent", "хочу записаться"))
    assert found == Roles({"customer": Role.PATIENT, "agent": Role.ADMINISTRATOR}, 1.0, "provider")


def test_the_clinic_may_be_on_either_channel() -> None:
    found = assign_roles(turns(dialogue(by_channel=True).words), Direction.INBOUND)
    assert found.of == {"channel_1": Role.ADMINISTRATOR, "channel_0": Role.PATIENT}
    assert found.source == "channels"
    assert found.confidence > 0.9


def test_on_an_outgoing_call_the_patient_answers() -> None:
    found = roles(
        ("speaker_0", "Алло, да."),
        ("speaker_1", "Здравствуйте, Мария? Вы оставляли заявку на сайте, удобно говорить?"),
        ("speaker_0", "Да, удобно."),
        direction=Direction.OUTBOUND,
    )
    assert found.of == {"speaker_0": Role.PATIENT, "speaker_1": Role.ADMINISTRATOR}
    assert found.source == "phrases"


@pytest.mark.parametrize(
    ("direction", "administrator"),
    [(Direction.INBOUND, "speaker_0"), (Direction.OUTBOUND, "speaker_1")],
)
def test_direction_decides_when_words_say_nothing(direction: Direction, administrator: str) -> None:
    found = roles(("speaker_0", "слушаю"), ("speaker_1", "угу"), direction=direction)
    assert found.of[administrator] is Role.ADMINISTRATOR
    assert found.confidence < 0.8


def test_clear_words_outweigh_direction() -> None:
    found = roles(
        ("speaker_0", "Здравствуйте, хочу записаться к врачу, у меня болит спина."),
        ("speaker_1", "Клиника, администратор Алина. Запишу вас, как к вам обращаться?"),
        direction=Direction.INBOUND,
    )
    assert found.of["speaker_1"] is Role.ADMINISTRATOR


def test_no_evidence_is_a_coin_toss_and_says_so() -> None:
    assert roles(("speaker_0", "угу"), ("speaker_1", "ага")).confidence == 0.5


def test_a_third_speaker_is_other() -> None:
    found = roles(
        ("speaker_0", "Клиника «Ромашка», чем могу помочь?"),
        ("speaker_1", "Хочу записаться к врачу на завтра утром."),
        ("speaker_2", "Мама, дай телефон."),
    )
    assert found.of["speaker_2"] is Role.OTHER


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Клиника «Ромашка», здравствуйте, чем могу помочь?", Role.ADMINISTRATOR),
        ("Алло, алло, вас не слышно", Role.PATIENT),
    ],
)
def test_a_lone_speaker_is_judged_by_words(text: str, role: Role) -> None:
    assert roles(("speaker_0", text)).of == {"speaker_0": role}


def test_silence_has_no_roles() -> None:
    assert assign_roles((), Direction.INBOUND) == Roles({}, 0.0, "phrases")


def test_swapping_twice_gives_the_first_roles_back() -> None:
    spoken = turns(dialogue().words)
    given = assign_roles(spoken, Direction.INBOUND)
    call = make_call()
    first = Transcript(
        call_id=call.id, client_id=call.client_id, recognition_id="r",
        utterances=with_roles(spoken, given), roles_confidence=given.confidence,
        roles_source=given.source, language="ru", model="m", seconds=25.0,
        transcribed_at=call.started_at,
    )  # fmt: skip
    swapped = swap_roles(first)
    assert [one.role for one in swapped.utterances] != [one.role for one in first.utterances]
    assert swap_roles(swapped).utterances == first.utterances
    assert (swapped.roles_source, swapped.roles_confidence) == ("manual", 1.0)
