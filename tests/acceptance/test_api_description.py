"""The API keeps what its description promises, whatever is sent, with a key and without.

Every operation is asked with generated input against a running service with the sandbox behind it.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import httpx2
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.fixtures.application import API_KEY, settings_for
from tests.fixtures.stores import empty_database, free_port

from medai.api.app import create_api, described
from medai.bootstrap import open_application
from medai.cli.demo.scenario import connect
from medai.sandbox.audio.store import AudioStore
from medai.sandbox.client import Control
from medai.sandbox.server import SandboxServer
from medai.sandbox.world.models import World
from medai.settings import Settings

EXAMPLES = 12
OPEN = {"/api/status", "/health/live", "/health/ready"}
_KEPT = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
_PROVIDER_AWAY = (502, 503)
"""Documented answers when a provider refuses or is away: no failure of ours."""
_START_SECONDS = 60.0


class _Service(threading.Thread):
    """A service with one connected clinic, in a thread and loop of its own."""

    def __init__(self, configured: Settings, clinic: dict[str, Any], port: int) -> None:
        super().__init__(daemon=True)
        self._configured, self._clinic, self._port = configured, clinic, port
        self._server: Future[uvicorn.Server] = Future()

    def run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            if not self._server.done():
                self._server.set_exception(error)
            raise

    async def _serve(self) -> None:
        async with open_application(self._configured) as application:
            await connect(application, self._clinic)
            config = uvicorn.Config(
                create_api(application), port=self._port, log_config=None, lifespan="off"
            )
            server = uvicorn.Server(config)
            self._server.set_result(server)
            await server.serve()

    def __enter__(self) -> str:
        self.start()
        server = self._server.result(_START_SECONDS)
        while not server.started:
            self.join(0.05)
        return f"http://127.0.0.1:{self._port}"

    def __exit__(self, *_: object) -> None:
        self._server.result().should_exit = True
        self.join(_START_SECONDS)


@pytest.fixture(scope="module")
def service(
    sandbox_world: World,
    sandbox_audio: AudioStore,
    postgres_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    with (
        SandboxServer(sandbox_world, sandbox_audio) as server,
        Control(server.url) as control,
        empty_database(postgres_server) as dsn,
    ):
        configured = settings_for(
            server.url, dsn, tmp_path_factory.mktemp("data"),
            api_requests_per_minute=0, api_longest_wait_seconds=1,
        )  # fmt: skip
        with _Service(configured, control.clinics()[0], free_port()) as url:
            yield url


DESCRIPTION = schemathesis.openapi.from_dict(described())
OPERATIONS: list[Any] = [found.ok() for found in DESCRIPTION.get_all_operations()]  # type: ignore[union-attr]  # ours is valid


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_generated_requests_meet_documented_answers(operation: Any, service: str) -> None:
    @settings(
        max_examples=EXAMPLES,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        answer = case.call(base_url=service, headers={"X-API-Key": API_KEY})
        case.validate_response(answer, checks=list(_KEPT))
        if answer.status_code not in _PROVIDER_AWAY:
            case.validate_response(answer, checks=[not_a_server_error])

    asked()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.label)
def test_no_generated_request_gets_in_without_a_key(operation: Any, service: str) -> None:
    @settings(
        max_examples=EXAMPLES // 3,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    @given(case=operation.as_strategy())
    def asked(case: Any) -> None:
        answer = case.call(base_url=service, headers={"X-API-Key": "wrong"})
        if operation.path in OPEN:
            assert answer.status_code in (200, 503)
            return
        assert answer.status_code in (401, 405)
        assert answer.json()["detail"]

    asked()


def test_the_description_is_whole(service: str) -> None:
    """Every operation says what it is for, what it answers and how it refuses."""
    for path, operations in described()["paths"].items():
        for method, one in operations.items():
            where = f"{method} {path}"
            assert one.get("summary"), where
            assert one.get("description"), where
            good = [one["responses"][code] for code in one["responses"] if code.startswith("2")]
            assert good, where
            for answer in good:
                for content in answer.get("content", {}).values():
                    assert content.get("schema") not in ({}, None), where
            if path not in OPEN:
                assert "401" in one["responses"], where
            for given_ in one.get("parameters", []):
                assert given_["schema"], where
    assert httpx2.get(f"{service}/openapi.json").json() == described()


def test_swagger_offers_the_key() -> None:
    assert described()["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "X-API-Key"
    for path, operations in described()["paths"].items():
        for one in operations.values():
            assert bool(one.get("security")) == (path not in OPEN | {"/metrics"}), path
