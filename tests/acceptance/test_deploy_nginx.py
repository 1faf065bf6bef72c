"""deploy/nginx.conf as nginx runs it, in front of the real API; only paths and ports are others."""

import asyncio
import ipaddress
import re
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fixtures.application import API_KEY
from tests.fixtures.call_library import SOUND, Library, opened_library
from tests.fixtures.compose import ROOT
from tests.fixtures.stores import free_port

from medai.settings import Settings

CONF = ROOT / "deploy" / "nginx.conf"
HOST = "medai.example"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
_WAIT_SECONDS = 10
needs_nginx = pytest.mark.skipif(NGINX is None, reason="needs nginx (apt-get install nginx)")


def test_a_proxy_waits_longer_than_the_longest_answer() -> None:
    text = CONF.read_text("utf-8")
    (waits,) = re.findall(r"^    proxy_read_timeout (\d+)s;", text, re.MULTILINE)
    assert int(waits) > Settings.model_fields["api_longest_wait_seconds"].default * 2
    (most,) = re.findall(r"^    client_max_body_size (\d+)m;", text, re.MULTILINE)
    assert int(most) > Settings.model_fields["recordings_max_megabytes"].default
    assert "/api/telegram/webhook" in text


@dataclass(frozen=True, slots=True)
class Front:
    """nginx with its clients over TLS and without; the API behind it has one finished call."""

    tls: httpx2.AsyncClient
    plain: httpx2.AsyncClient
    library: Library
    folder: Path


@pytest.fixture
async def front(prepared_dsn: str, tmp_path: Path) -> AsyncIterator[Front]:
    ports = {"80": free_port(), "443": free_port(), "8001": free_port()}
    async with AsyncExitStack() as stack:
        opened = opened_library(prepared_dsn, tmp_path / "data")
        library = await stack.enter_async_context(opened)
        await stack.enter_async_context(_served(library, ports["8001"]))
        await stack.enter_async_context(_proxied(tmp_path, ports))
        trusted = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        tls = httpx2.AsyncClient(
            base_url=f"https://127.0.0.1:{ports['443']}", verify=trusted, trust_env=False,
            headers={"Host": HOST},
        )  # fmt: skip
        plain = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{ports['80']}", trust_env=False)
        await stack.enter_async_context(tls)
        await stack.enter_async_context(plain)
        yield Front(tls, plain, library, tmp_path)


class _served:  # noqa: N801 - reads as a verb
    """The API on a port of this machine."""

    def __init__(self, library: Library, port: int) -> None:
        transport = library.doors.owner._transport
        assert isinstance(transport, httpx2.ASGITransport)
        config = uvicorn.Config(
            transport.app, port=port, log_config=None, lifespan="off", proxy_headers=True
        )
        self._server = uvicorn.Server(config)

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._server._serve(None))
        async with asyncio.timeout(_WAIT_SECONDS):
            while not self._server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.02)

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._task


class _proxied:  # noqa: N801 - reads as a verb
    """nginx with our file, its paths below `folder` and other ports."""

    def __init__(self, folder: Path, ports: dict[str, int]) -> None:
        self._folder = folder
        self._port = ports["443"]
        _certificate(folder)
        (folder / "www").mkdir()
        (folder / "www" / "index.html").write_text("front end")
        text = CONF.read_text("utf-8")
        for old, new in (
            ("/etc/letsencrypt/live/medai.example", str(folder)),
            ("/var/log/nginx", str(folder)),
            ("/var/www/medai", str(folder / "www")),
            ("127.0.0.1:8001", f"127.0.0.1:{ports['8001']}"),
        ):
            assert old in text, old
            text = text.replace(old, new)
        text = re.sub(r"^    listen \[::\]:.*\n", "", text, flags=re.MULTILINE)
        for port in ("80", "443"):
            text = text.replace(f"listen {port}", f"listen 127.0.0.1:{ports[port]}")
        places = "".join(
            f"{kind}_temp_path {folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = f"user root;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/e.log;\n"
        (folder / "nginx.conf").write_text(
            f"{main}events {{}}\nhttp {{\naccess_log off;\n{places}{text}\n}}\n"
        )

    async def __aenter__(self) -> None:
        words = [str(NGINX), "-p", str(self._folder), "-c", str(self._folder / "nginx.conf")]
        pipe = asyncio.subprocess.PIPE
        checking = await asyncio.create_subprocess_exec(*words, "-t", stderr=pipe)
        _, told = await checking.communicate()
        assert checking.returncode == 0, told.decode()
        assert b"[warn]" not in told, told.decode()
        self._process = await asyncio.create_subprocess_exec(*words, "-g", "daemon off;")
        async with asyncio.timeout(_WAIT_SECONDS):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self._port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await self._process.wait()


def _certificate(folder: Path) -> None:
    """A certificate of medai.example and 127.0.0.1, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "fullchain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@needs_nginx
async def test_the_api_behind_nginx(front: Front) -> None:
    moved = await front.plain.get("/api/status?a=1", headers={"Host": HOST})
    assert (moved.status_code, moved.headers["location"]) == (308, f"https://{HOST}/api/status?a=1")
    status = await front.tls.get("/api/status")
    assert status.json()["success"] is True
    assert status.headers["strict-transport-security"].startswith("max-age=")
    assert status.headers["x-content-type-options"] == "nosniff"
    assert "nginx/" not in status.headers["server"]
    assert (await front.tls.get("/api/admin/clinics")).status_code == 401
    assert (await front.tls.get("/docs")).status_code == 200
    for hidden in ("/metrics", "/health/ready"):
        assert (await front.tls.get(hidden, headers={"X-API-Key": API_KEY})).status_code == 404
    assert (await front.tls.get("/any/page")).text == "front end"


@needs_nginx
async def test_recordings_come_in_parts_and_their_links_stay_out_of_the_log(front: Front) -> None:
    call = await front.library.add_done(101)
    link = httpx2.URL(front.library.app.links.audio_url(call)).raw_path.decode()
    assert "signature=" in link
    part = await front.tls.get(
        link, headers={"Range": "bytes=100-199", "X-Forwarded-For": "203.0.113.9"}
    )
    assert (part.status_code, part.content) == (206, SOUND[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(SOUND)}"
    log = (front.folder / "medai.log").read_text("utf-8")
    assert "/api/calls/download/" in log
    assert "signature" not in log
    opened = await front.tls.get("/api/admin/access-log", headers={"X-API-Key": API_KEY})
    assert "203.0.113.9" not in opened.text, "a client names no address of its own"
    assert call.id in opened.text


@needs_nginx
async def test_one_address_is_slowed_down(front: Front) -> None:
    asked = [front.tls.get("/api/status") for _ in range(150)]
    codes = [answer.status_code for answer in await asyncio.gather(*asked)]
    assert set(codes) == {200, 429}
    assert codes.count(200) >= 40


@needs_nginx
async def test_telegram_reaches_its_path_with_small_updates_only(front: Front) -> None:
    path = "/api/telegram/webhook"
    large = await front.tls.post(path, content=b"x" * 1_100_000)
    assert large.status_code == 413
    small = await front.tls.post(path, json={"update_id": 1})
    assert small.headers["content-type"].startswith("application/json"), "the API answers"
