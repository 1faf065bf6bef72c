"""What the routes of an analysis answer with (contract 1.3)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class CallTypeShown(BaseModel):
    """What kind of call it was."""

    call_type_id: int = Field(examples=[1])
    call_type: str = Field(examples=["первичка"])
    explanation: str = Field(
        examples=["Пациент обращается впервые."],
        description="пусто у звонков, анализ которых перенесён из старой системы",
    )


class CriterionResult(BaseModel):
    """One criterion."""

    score: int = Field(examples=[8])
    comment: str | None = Field(examples=["Назвал клинику и представился."])


Unscored = Annotated[
    dict[str, str],
    Field(
        examples=[{"objection_handling": "Возражений не было"}],
        description="Критерии без балла (неприменимы) и почему. Старая система ставила им 0.",
    ),
]


class AnalysisResults(BaseModel):
    """The shape of the old model's raw JSON: a key for each criterion of the call's type."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "call_type": "первичка",
                    "greeting": {"score": 8, "comment": "Назвал клинику и представился."},
                    "overall_score": 7.25,
                    "recommendations": ["Называть опыт врача."],
                    "unscored": {"objection_handling": "Возражений не было"},
                }
            ]
        },
    )
    __pydantic_extra__: dict[str, CriterionResult]

    call_type: str
    overall_score: float = Field(description="0–10")
    recommendations: list[str]
    unscored: Unscored
    call_reason: str | None = Field(
        None, description="только у типа «другое»: почему звонок не оценивается"
    )


class CallAnalysed(BaseModel):
    """Answer of analyze-call-new."""

    success: Literal[True] = True
    call_id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    call_type: CallTypeShown
    analysis_results: AnalysisResults


class StillWorking(BaseModel):
    """202: the work goes on after we stopped waiting; ask again."""

    success: Literal[False] = False
    call_id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    message: str = Field(examples=["Анализ ещё идёт: повторите запрос через минуту"])


class NamedScore(BaseModel):
    """One criterion of call/scores."""

    name: str = Field(
        examples=["Приветствие"],
        description="patient_booking здесь называется «Запись пациента», как в старой системе; "
        "на досках и в отчётах — «Запись на прием»",
    )
    score: int = Field(examples=[8])
    comment: str | None = Field(
        examples=["Назвал клинику и представился."], description="в старой системе всегда null"
    )


class CallScores(BaseModel):
    """Answer of call/scores."""

    call_id: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90"])
    note_id: int | str = Field(
        examples=[1000004], description="текст, если примечание в CRM не нашлось"
    )
    client_id: str = Field(examples=["0b1c5a52-3f5e-4c2e-9c33-1f6d0e7b8a10"])
    call_type: str = Field(examples=["первичка"])
    call_type_id: int = Field(examples=[1])
    administrator: str = Field(examples=["Мария Иванова"])
    created_date: str = Field(examples=["2026-11-19 12:03:27"], description="время клиники")
    overall_score: float = Field(examples=[7.25])
    conversion: bool
    scores: dict[str, NamedScore]
    unscored: Unscored
    recommendations: list[str] = Field(examples=[["Называть опыт врача."]])
    transcription_url: str | None = Field(
        examples=["https://medai.example/api/transcriptions/note_1.txt/download?expires=…"],
        description="подписанная ссылка: открывается без ключа",
    )


class TrialFile(BaseModel):
    """A file that the trial has made."""

    filename: str = Field(examples=["5f2b9c0d1e3a4b5c6d7e8f90_analysis.txt"])
    download_url: str = Field(description="подписанная ссылка: открывается без ключа")


class TrialFiles(BaseModel):
    """Both files of a trial."""

    transcription: TrialFile
    analysis: TrialFile


class TrialAnswer(BaseModel):
    """Answer of test/transcribe-and-analyze."""

    success: Literal[True] = True
    message: str = Field(examples=["Запись расшифрована и проанализирована"])
    data: TrialFiles
