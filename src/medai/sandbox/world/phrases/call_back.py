"""Type 3, the clinic calls back somebody who did not book."""

from medai.sandbox.world.phrases import Blocks, Levels

ANSWERED: Blocks = (
    "П: Да, здравствуйте, {full_name} слушает.",
    "П: Алло. Да, это {full_name}.",
    "П: Да, могу говорить. {full_name}.",
)

NAME_LATE: Blocks = ("А!~: И всё-таки, как к вам обращаться?\nП: {name}.",)
NAME_EARLY: Blocks = (
    "А!: {name}, верно?\nП: Да, верно.",
    "А!: {name}, правильно?\nП: Всё правильно.",
)

APPEAL: Levels = {
    0: ("А: Будете записываться?\nП: А вы откуда?",),
    5: ("А!~: Вы нам звонили, хотели записаться.\nП: Да, что-то такое было.",),
    10: (
        "А!~: {Since_call} вы звонили нам и спрашивали про {about}, но не выбрали время.\n"
        "П: Да, помню.",
        "А!~: Мы говорили с вами {since_call}: вас интересовал вопрос про {about}.\nП: Да, верно.",
    ),
}

OFFER: Blocks = (
    "А~: Освободилось окно: {day} {time}, {doctor}.",
    "А~: Сейчас есть время {day} {time} или {time2}.",
)
ACCEPT: Blocks = ("П: Давайте {day} {time}.", "П: Да, {day} {time} подойдёт.")
STEP_BOOKED: Blocks = (
    "А!~: Записала вас на {visit}, {day} {time}.\nП: Хорошо.",
    "А!~: Готово, ждём вас {day} {time}.\nП: Договорились.",
)
DECLINE: Blocks = ("П: Нет, пока не буду.", "П: Пока нет решения.", "П: Сейчас нет, спасибо.")
