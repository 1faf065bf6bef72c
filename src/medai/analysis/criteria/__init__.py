"""The criteria of contract 3 with their anchors of contract 7, in order of display.

Keys and names are data: boards of DataLens group by them.
"""

from medai.analysis.criteria import contact, manner, outcome, presentation
from medai.analysis.criterion import Definition

DEFINITIONS: tuple[Definition, ...] = (
    contact.GREETING,
    contact.PATIENT_NAME,
    contact.NEEDS,
    contact.QUESTION,
    contact.APPEAL,
    presentation.SERVICE,
    presentation.CLINIC,
    presentation.DOCTOR,
    outcome.APPOINTMENT,
    presentation.PRICE,
    manner.EXPERTISE,
    outcome.NEXT_STEP,
    outcome.PATIENT_BOOKING,
    manner.EMOTIONAL_TONE,
    manner.SPEECH,
    manner.INITIATIVE,
    outcome.CLINIC_ADDRESS,
    outcome.PASSPORT,
    outcome.OBJECTION_HANDLING,
)
