"""Connections on which nothing comes are closed: half a request costs its sender nothing."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
"""For the head of a request, however slowly it comes."""
SILENCE_SECONDS = 30.0
"""Between two parts of a body."""


class PatientProtocol(H11Protocol):
    """uvicorn's own HTTP, with an end to waiting; it has one only between two requests."""

    head_seconds = HEAD_SECONDS
    silence_seconds = SILENCE_SECONDS
    _ending: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A new connection: the head of its first request is due."""
        super().connection_made(transport)
        self._wait(self.head_seconds)

    def data_received(self, data: bytes) -> None:
        """A part of a request: it may be its last, or more is due."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            if self._ending is None:
                self._wait(self.head_seconds)
        elif self.conn.their_state is h11.SEND_BODY:
            self._wait(self.silence_seconds)
        else:
            self._wait(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._wait(None)
        super().connection_lost(exc)

    def _wait(self, seconds: float | None) -> None:
        if self._ending is not None:
            self._ending.cancel()
        self._ending = self.loop.call_later(seconds, self._end) if seconds is not None else None

    def _end(self) -> None:
        if self.flow.read_paused:  # the rest lies in the socket: it is we who do not read
            self._wait(self.silence_seconds)
        else:
            self.transport.close()
