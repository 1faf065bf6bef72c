"""The data part of a prompt: facts of this request first, the fenced transcript last.

Отметка CRM: запись на приём есть          (types 1 and 2; else «отсутствует»)
Оцени только критерии: price, speech       (second request only)
<<<СПИСОК 0123456789abcdef>>>              (choice of the administrator only)
[1] Анна Иванова
<<<КОНЕЦ 0123456789abcdef>>>
<<<ТРАНСКРИПЦИЯ fedcba9876543210>>>
[1] 00:00 Администратор: Добрый день
[2] 00:03 Пациент: Здравствуйте
<<<КОНЕЦ fedcba9876543210>>>
"""

from medai.analysis.fence import fenced, one_line
from medai.transcription.models import Role, Transcript, Utterance

ROLE_NAMES = {
    Role.ADMINISTRATOR: "Администратор",
    Role.PATIENT: "Пациент",
    Role.OTHER: "Участник",
}
TRANSCRIPT_TITLE = "ТРАНСКРИПЦИЯ"


def rendered(transcript: Transcript) -> str:
    """The fenced transcript: `[N] MM:SS Роль: text`, N from 1, one utterance per line."""
    lines = [line(number, said) for number, said in enumerate(transcript.utterances, start=1)]
    return fenced(TRANSCRIPT_TITLE, lines)


def line(number: int, utterance: Utterance) -> str:
    """One utterance as a line; minutes go on above 59 (a call of 75 minutes ends at 75:00)."""
    minutes, seconds = divmod(utterance.start_ms // 1000, 60)
    speaker = ROLE_NAMES[utterance.role]
    return f"[{number}] {minutes:02d}:{seconds:02d} {speaker}: {one_line(utterance.text)}"
