"""Parameters that many routes take, with the bounds that keep hostile ones out."""

from typing import Annotated

from fastapi import Path, Query

LONGEST_DATE = 40
LONGEST_ID = 100

FirstDay = Annotated[
    str,
    Query(
        max_length=LONGEST_DATE, description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД", examples=["17.11.2026"]
    ),
]
LastDay = Annotated[
    str,
    Query(
        max_length=LONGEST_DATE,
        description="последний день, входит в период",
        examples=["23.11.2026"],
    ),
]
AnyDay = Annotated[
    str | None,
    Query(
        max_length=LONGEST_DATE,
        description="ДД.ММ.ГГГГ или ГГГГ-ММ-ДД; одна из двух дат: один день",
        examples=["19.11.2026"],
    ),
]
"""One of two dates that may be left out."""
_CLINIC = Query(
    max_length=LONGEST_ID,
    description="client_id клиники (UUID интеграции amoCRM)",
    examples=["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"],
)
ClinicId = Annotated[str, _CLINIC]
AnyClinicId = Annotated[str | None, _CLINIC]
"""None: the clinic of the key, or all of them."""
ClinicPath = Annotated[
    str, Path(max_length=LONGEST_ID, description="client_id клиники (UUID интеграции amoCRM)")
]

Again = Annotated[
    bool, Query(description="оценить заново и то, что уже оценено: новый запрос к модели")
]

CallId = Annotated[
    str,
    Path(
        max_length=LONGEST_ID,
        description="номер звонка: `_id` из calls/list",
        examples=["5f2b9c0d1e3a4b5c6d7e8f90"],
    ),
]
FileName = Annotated[str, Path(max_length=200, description="имя файла без папки")]
