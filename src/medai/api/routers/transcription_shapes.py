"""Bodies of the transcript routes (contract 1.2)."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from medai.processing.transcript_files import Found


class FileOrder(BaseModel):
    """Body of POST /api/transcribe. Only the name matters; the rest is accepted."""

    audio_filename: str = Field(
        min_length=1, max_length=200, examples=["5f0c0d9e2b7a4c1d8e6f0a12.mp3"]
    )
    phone: str | None = Field(None, max_length=40)
    note_id: int | str | None = None
    num_speakers: int = Field(2, ge=1, le=32)
    diarize: bool = True
    administrator_id: str | None = Field(None, max_length=100)


class QueuedFile(BaseModel):
    audio_filename: str = Field(examples=["5f0c0d9e2b7a4c1d8e6f0a12.mp3"])
    transcription_filename: str = Field(examples=["note_1_5f0c0d9e2b7a4c1d8e6f0a12.txt"])
    status: Literal["processing", "success"]


class FileQueued(BaseModel):
    """POST /api/transcribe."""

    success: Literal[True]
    message: str = Field(examples=["Транскрибация запущена"])
    data: QueuedFile


class FileShown(BaseModel):
    filename: str = Field(examples=["note_1_5f0c0d9e2b7a4c1d8e6f0a12.txt"])
    size: int = Field(examples=[1840], description="bytes")
    created_at: str = Field(examples=["2026-11-19T08:20:00+00:00"])
    phone: str | None = Field(examples=["+79000000001"])
    note_id: int | str | None = Field(examples=[1])
    preview: str = Field(max_length=500, examples=["Транскрипция звонка"])
    download_url: str = Field(description="signed: opens without a key")


class FilesShown(BaseModel):
    transcriptions: list[FileShown]
    is_whole: bool = Field(True, description="ours: false when more may fit than was read")


class FilesFound(BaseModel):
    """Lists of transcripts."""

    success: Literal[True]
    message: str = Field(examples=["Найдено расшифровок: 1"])
    data: FilesShown


class Refusal(BaseModel):
    """404 in the old form (contract 1.2), or our usual one."""

    success: Literal[False] = False
    message: str = Field("", examples=["Расшифровка не найдена"])
    data: Any = None


def found_files(found: Found) -> FilesFound:
    """The answer for found files."""
    shown = [
        FileShown(
            filename=one.filename,
            size=one.size,
            created_at=one.created_at.isoformat(),
            phone=one.phone or None,
            note_id=one.note_id,
            preview=one.preview,
            download_url=one.url,
        )
        for one in found.files
    ]
    data = FilesShown(transcriptions=shown, is_whole=found.is_whole)
    return FilesFound(success=True, message=f"Найдено расшифровок: {len(shown)}", data=data)
