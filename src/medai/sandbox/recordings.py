"""The PBX vendors' recording host: GET and HEAD of audio, and everything that goes wrong there."""

import asyncio
import io
import math
import re
import struct
import wave
from collections.abc import AsyncIterator
from typing import Protocol

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from medai.sandbox.connection import after_work, before_work, html_page
from medai.sandbox.faults import Fault, Faults
from medai.sandbox.ledger import Ledger

PRIVATE_ADDRESS = "http://10.11.12.13/recordings/"
"""Where redirect_private leads: an address that a careful client never asks."""
HOPS = 3
"""Redirects of one redirect_chain before the audio comes."""
_SLICES = 10
_RANGE = re.compile(r"^bytes=(\d*)-(\d*)$")
_CLIP_SECONDS, _CLIP_RATE, _CLIP_HERTZ = 2, 8000, 440


class RecordingSource(Protocol):
    """The audio of the world's recordings."""

    async def content(self, name: str) -> bytes | None:
        """The file as the PBX keeps it (MP3 or WAV), None when there is no such recording."""


def build_router(audio: RecordingSource, faults: Faults, ledger: Ledger) -> APIRouter:
    """Routes /{name} for recordings and /hop/{left}/{name} for chains of redirects."""
    host = _Host(audio, faults, ledger)
    router = APIRouter()
    router.add_route("/hop/{left:int}/{name:path}", host.hop, methods=["GET", "HEAD"])
    router.add_route("/{name:path}", host.answer, methods=["GET", "HEAD"])
    return router


def unavailable_clip() -> bytes:
    """Two seconds of a tone as WAV: what a PBX plays instead of a lost recording."""
    count = _CLIP_SECONDS * _CLIP_RATE
    step = 2 * math.pi * _CLIP_HERTZ / _CLIP_RATE
    frames = b"".join(struct.pack("<h", int(8000 * math.sin(step * i))) for i in range(count))
    out = io.BytesIO()
    with wave.open(out, "wb") as clip:
        clip.setnchannels(1)
        clip.setsampwidth(2)
        clip.setframerate(_CLIP_RATE)
        clip.writeframes(frames)
    return out.getvalue()


class _Host:
    """Serves recordings and spoils them as the fault script says."""

    def __init__(self, audio: RecordingSource, faults: Faults, ledger: Ledger) -> None:
        self._audio = audio
        self._faults = faults
        self._ledger = ledger

    async def answer(self, request: Request) -> Response:
        """The recording, or what its fault makes of it."""
        name = request.path_params["name"]
        self._ledger.recording_request(name, request.method)
        asked = f"{request.method} {request.url.path}"
        fault = self._faults.take("recordings", asked)
        spoiled = await before_work(fault) or _refusal(fault, request, name)
        if spoiled is not None:
            return spoiled
        if fault is not None and fault.kind == "one_time_link":
            self._faults.add(
                "recordings", Fault("not_found", times=0, match=request.url.path, status=410)
            )
        return after_work(fault, await self._found(request, name, fault))

    async def hop(self, request: Request) -> Response:
        """One more redirect of a chain."""
        left, name = request.path_params["left"], request.path_params["name"]
        path = request.url.path.removesuffix(f"/hop/{left}/{name}")
        return RedirectResponse(f"{path}/hop/{left - 1}/{name}" if left > 1 else f"{path}/{name}")

    async def _found(self, request: Request, name: str, fault: Fault | None) -> Response:
        body = await self._audio.content(name)
        if body is None:
            return html_page(404, "404 Not Found")
        if fault is not None and fault.kind == "unavailable_clip":
            body = unavailable_clip()
        if fault is not None and fault.kind == "truncated_audio":
            body = body[: len(body) // 2]
        if fault is not None and fault.kind == "slow_stream":
            return _trickling(body, fault.seconds)
        return _audio(body, request.headers.get("range"))


def _refusal(fault: Fault | None, request: Request, name: str) -> Response | None:
    kind = fault.kind if fault else ""
    status = fault.status if fault else None
    if kind in ("not_found", "late_link"):
        return html_page(status or 404, "Not Found")
    if kind == "html_instead_of_audio":
        return html_page(200, "Sign in")
    if kind == "redirect_private":
        return RedirectResponse(PRIVATE_ADDRESS + name, status or 302)
    if kind == "redirect_chain":
        base = request.url.path.removesuffix(f"/{name}")
        return RedirectResponse(f"{base}/hop/{HOPS - 1}/{name}", status or 302)
    if kind in ("server_error", "rate_limit_json"):
        return PlainTextResponse(kind, status or (500 if kind == "server_error" else 429))
    return None


def _audio(body: bytes, asked: str | None) -> Response:
    """200, or 206 and 416 for a byte range. Players in the CRM need ranges (amocrm.md 5)."""
    match = _RANGE.match(asked or "")
    if match is None or not (match[1] or match[2]):
        return Response(body, media_type=_media_type(body), headers={"Accept-Ranges": "bytes"})
    start = int(match[1]) if match[1] else max(0, len(body) - int(match[2]))
    end = int(match[2]) if match[1] and match[2] else len(body) - 1
    end = min(end, len(body) - 1)
    if start > end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(body)}"})
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Range": f"bytes {start}-{end}/{len(body)}",
    }
    return Response(body[start : end + 1], 206, headers, _media_type(body))


def _trickling(body: bytes, seconds: float) -> Response:
    async def slices() -> AsyncIterator[bytes]:
        size = -(-len(body) // _SLICES)
        for start in range(0, len(body), size):
            yield body[start : start + size]
            await asyncio.sleep(seconds / _SLICES)

    headers = {"Accept-Ranges": "bytes", "Content-Length": str(len(body))}
    return StreamingResponse(slices(), 200, headers, _media_type(body))


def _media_type(body: bytes) -> str:
    return "audio/wav" if body.startswith(b"RIFF") else "audio/mpeg"
