"""Method arguments from any of the encodings that the Bot API takes (telegram.md 11)."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request

from medai.sandbox.telegram.errors import bad

_MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file part."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Arguments:
    """Values as text, and uploads by the name of their part."""

    values: dict[str, str]
    uploads: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """The value; empty counts as absent."""
        return self.values.get(name) or None

    def whole(self, name: str) -> int | None:
        """An integer. Raises RefusedError (400)."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError as error:
            raise bad(f"field {name!r} must be a number") from error

    def flag(self, name: str) -> bool:
        """True only for `true`, `True` and `1`."""
        return (self.text(name) or "").lower() in ("true", "1")

    def json(self, name: str) -> Any:
        """A JSON-serialised object or list, None when absent. Raises RefusedError (400)."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad(f"can't parse {name} JSON object") from error


async def read_arguments(request: Request) -> Arguments:
    """Query, form and JSON body together, as the Bot API reads them."""
    values = dict(request.query_params)
    kind = request.headers.get("content-type", "").split(";")[0]
    if kind == "application/json":
        return Arguments({**values, **_flat(await request.json())})
    uploads: dict[str, Upload] = {}
    async with request.form(max_files=_MOST_PARTS, max_fields=_MOST_PARTS) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                kind = value.content_type or "application/octet-stream"
                uploads[name] = Upload(value.filename or name, await value.read(), kind)
            else:
                values[name] = value
    return Arguments(values, uploads)


def _flat(body: Any) -> dict[str, str]:
    if not isinstance(body, dict):
        raise bad("object expected as body")
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in body.items()
        if value is not None
    }
