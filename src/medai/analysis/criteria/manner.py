"""How the administrator speaks and what he knows."""

from medai.analysis.criterion import Anchor, Definition, same
from medai.analysis.models import CallType

_FIRST, _REPEAT = CallType.FIRST, CallType.REPEAT
_CALL_BACK, _CONFIRMATION = CallType.CALL_BACK, CallType.CONFIRMATION

EXPERTISE = Definition(
    key="expertise",
    name="Экспертность",
    anchors=same(
        (
            ("0", "не смог ответить и ничего не предложил"),
            ("2–4", "отвечал путано, противоречиво или наугад"),
            ("6", "обещал узнать и перезвонить с ответом"),
            ("8", "нашёл ответ, не кладя трубку"),
            ("10", "уверенно ответил на все вопросы"),
        ),
        _FIRST, _REPEAT,
    ),
)  # fmt: skip

EMOTIONAL_TONE = Definition(
    key="emotional_tone",
    name="Эмоциональный окрас",
    anchors=same(
        (
            ("0", "грубил"),
            ("2–4", "говорил холодно, безразлично"),
            ("6–8", "доброжелателен не всё время; чем ровнее, тем выше"),
            ("10", "доброжелателен весь разговор"),
        ),
        _FIRST, _REPEAT,
    ),
)  # fmt: skip

SPEECH = Definition(
    key="speech",
    name="Речь",
    anchors=same(
        (
            ("0", "бранные слова"),
            ("2–4", "фамильярность, панибратство"),
            ("5–8", "слова-паразиты и уменьшительные слова; чем их меньше, тем выше"),
            ("9", "одна мелкая оговорка"),
            ("10", "чистая речь"),
        ),
        _FIRST, _REPEAT, _CALL_BACK, _CONFIRMATION,
    ),
)  # fmt: skip


def _initiative(weak: tuple[int, int, int, int]) -> tuple[Anchor, ...]:
    """`weak`: how many other criteria of 8 and below earn 2, 4, 6 and 8."""
    earned = zip(("2", "4", "6", "8"), weak, strict=True)
    return (
        ("важно", "оценивается последней, по баллам остальных применимых критериев"),
        ("0", "пациент был готов, но администратор его упустил"),
        *((score, f"критериев с баллом 8 и ниже — около {count}") for score, count in earned),
        ("10", "по всем остальным критериям 9–10"),
    )  # fmt: skip


INITIATIVE = Definition(
    key="initiative",
    name="Инициатива",
    anchors={
        _FIRST: _initiative((8, 6, 4, 2)),
        **same(_initiative((6, 4, 2, 1)), _REPEAT, _CALL_BACK, _CONFIRMATION),
    },
)
