"""Raw answers of paid recognitions: kept whatever the disk does.

An answer is money. Room for it is taken before the request is paid, and when the file store refuses
it all the same, the document store keeps it.
"""

import os

import stamina
import structlog
from pydantic import ValidationError

from medai.errors import NotFoundError, StoreError
from medai.infra.documents import Collection, Documents
from medai.infra.files import Files
from medai.transcription.models import Recognition

RECOGNITION_ANSWERS = Collection("recognition_answers")
"""Only answers that the file store refused."""

_ROOM_PER_SECOND = 2_000
"""Bytes of an answer per second of audio; quick speech takes about 800."""
_ROOM_AT_LEAST = 64 * 1024
_ROOM_AT_MOST = 32 * 1024 * 1024

_log = structlog.get_logger(__name__)


class RawAnswers:
    """Answers by recognition id, in the files (`recognitions/<id>.json`) or else in documents."""

    def __init__(self, documents: Documents, files: Files) -> None:
        self._documents = documents
        self._files = files

    async def make_room(self, recognition_id: str, seconds: float) -> None:
        """Take the room an answer about this much audio may need. Raises StoreError: do not pay.

        Incompressible bytes: some file systems store zeros as nothing.
        """
        size = min(_ROOM_AT_LEAST + round(seconds * _ROOM_PER_SECOND), _ROOM_AT_MOST)
        await self._files.write(_room(recognition_id), os.urandom(size))

    async def give_room_back(self, recognition_id: str) -> None:
        """Free what `make_room` took. A file that cannot be removed now harms nobody."""
        try:
            await self._files.delete(_room(recognition_id))
        except StoreError:
            _log.warning("placeholder of an answer stays", recognition_id=recognition_id)

    async def keep(self, recognition_id: str, recognition: Recognition) -> None:
        """Store the answer. Raises StoreError when neither store takes it after several tries."""
        await self.give_room_back(recognition_id)
        text = recognition.model_dump_json()
        try:
            await self._to_files(recognition_id, text.encode())
        except StoreError:
            _log.warning("answer kept in the document store", recognition_id=recognition_id)
            await self._to_documents(recognition_id, text)

    async def read(self, recognition_id: str) -> Recognition | None:
        """The stored answer, or None. Raises StoreError when it is damaged."""
        try:
            text: str | bytes = await self._files.read(_file(recognition_id))
        except NotFoundError:
            document = await self._documents.get(RECOGNITION_ANSWERS, recognition_id)
            if document is None:
                return None
            text = document["answer"]
        try:
            return Recognition.model_validate_json(text)
        except ValidationError as error:
            raise StoreError(
                "Файл оплаченного распознавания повреждён: восстановите его из копии"
            ) from error

    async def _to_files(self, recognition_id: str, data: bytes) -> None:
        async for attempt in stamina.retry_context(on=StoreError, attempts=3, timeout=10):
            with attempt:
                await self._files.write(_file(recognition_id), data)

    async def _to_documents(self, recognition_id: str, text: str) -> None:
        document = {"_id": recognition_id, "answer": text}
        async for attempt in stamina.retry_context(on=StoreError, attempts=6, timeout=30):
            with attempt:
                await self._documents.put_many(RECOGNITION_ANSWERS, [document])


def _file(recognition_id: str) -> str:
    return f"recognitions/{recognition_id}.json"


def _room(recognition_id: str) -> str:
    return f"recognitions/{recognition_id}.room"
