"""What the conversation ends with: the offer, the booking and what is said around it."""

from medai.analysis.criterion import Definition, same
from medai.analysis.models import CallType

_FIRST, _REPEAT = CallType.FIRST, CallType.REPEAT
_CALL_BACK, _CONFIRMATION = CallType.CALL_BACK, CallType.CONFIRMATION

APPOINTMENT = Definition(
    key="appointment",
    name="Запись",
    binary=True,
    anchors={
        _FIRST: (
            ("0", "не предложил записаться"),
            ("10", "сам предложил записаться на приём"),
        )
    },
)

NEXT_STEP = Definition(
    key="next_step",
    name="Следующий шаг",
    optional_for=(_CONFIRMATION,),
    anchors={
        **same(
            (
                ("0", "разговор окончен без договорённости"),
                ("2–4", "предложил договориться, но пациент решил позвонить сам"),
                ("6", "договорённость есть, но без даты и времени"),
                ("8", "дата есть, но слишком далёкая для вопроса пациента"),
                ("10", "пациент записан или назначена дата следующего разговора"),
            ),
            _FIRST, _REPEAT, _CALL_BACK,
        ),
        _CONFIRMATION: (
            ("важно", "оценивается, если визит отменён; если подтверждён — неприменимо"),
            ("0", "принял отмену и попрощался"),
            ("2", "предложил перезвонить, пациент решил позвонить сам"),
            ("4", "договорились созвониться, срок не назван"),
            ("8", "назначен день следующего разговора или далёкая новая дата визита"),
            ("10", "визит перенесён на ближайшую подходящую дату"),
        ),
    },
)  # fmt: skip

PATIENT_BOOKING = Definition(
    key="patient_booking",
    name="Запись на прием",
    binary=True,
    decided_by_crm=True,
    anchors=same(
        (
            ("0", "в CRM нет записи на приём"),
            ("10", "в CRM есть запись на приём"),
        ),
        _FIRST, _REPEAT,
    ),
)  # fmt: skip

_AFTER_BOOKING = ("важно", "оценивается только после записи на приём; без записи — неприменимо")
_AFTER_CONFIRMING = (
    "важно",
    "оценивается, если визит подтверждён или перенесён; иначе — неприменимо",
)
_ADDRESS = (("0", "адрес не назван и не сверен"), ("10", "назвал адрес или сверил, знает ли его"))
_PASSPORT = (("0", "о паспорте не напомнил"), ("10", "напомнил взять паспорт"))

CLINIC_ADDRESS = Definition(
    key="clinic_address",
    name="Адрес клиники",
    binary=True,
    optional_for=(_FIRST, _CALL_BACK, _CONFIRMATION),
    anchors={
        **same((_AFTER_BOOKING, *_ADDRESS), _FIRST, _CALL_BACK),
        _CONFIRMATION: (_AFTER_CONFIRMING, *_ADDRESS),
    },
)

PASSPORT = Definition(
    key="passport",
    name="Паспорт",
    binary=True,
    optional_for=(_FIRST, _CALL_BACK, _CONFIRMATION),
    anchors={
        **same((_AFTER_BOOKING, *_PASSPORT), _FIRST, _CALL_BACK),
        _CONFIRMATION: (_AFTER_CONFIRMING, *_PASSPORT),
    },
)

OBJECTION_HANDLING = Definition(
    key="objection_handling",
    name="Работа с возражениями",
    optional_for=(_FIRST, _REPEAT, _CALL_BACK, _CONFIRMATION),
    anchors=same(
        (
            ("важно", "возражений не было — неприменимо; было несколько — среднее, округлённое"),
            ("виды", "нет времени; дорого; подумаю; уже не нужно; сравниваю клиники; посоветуюсь"),
            ("0", "не заметил возражение"),
            ("2", "согласился с возражением и отпустил"),
            ("8", "ответил по сути, но пациент не записался"),
            ("10", "ответил по сути, и пациент записался"),
        ),
        _FIRST, _REPEAT, _CALL_BACK, _CONFIRMATION,
    ),
)  # fmt: skip
