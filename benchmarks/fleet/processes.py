"""Worker processes and what they and PostgreSQL cost, as the kernel counts it (Linux)."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from medai.processing.ports import Queue
from medai.sandbox import credentials
from medai.settings import Settings

_SOURCES = Path(__file__).resolve().parents[2] / "src"
_TICKS = os.sysconf("SC_CLK_TCK")
_USER, _CHILDREN_END = 11, 15
"""utime, stime, cutime and cstime among the fields behind the name in /proc/<pid>/stat."""
_PARENT = 1
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05


def settings_at(url: str, dsn: str, folder: Path, **changes: Any) -> dict[str, str]:
    """The environment of an installation whose providers are simulated at `url`, no limits."""
    values = {
        "environment": "test",
        "log_level": "ERROR",
        "medai_data_dir": folder,
        "medai_secret": "benchmarks sign links with this secret",
        "api_key": "benchmarks-key",
        "postgres_dsn": dsn,
        "amocrm_base_url_template": f"{url}/amocrm/{{subdomain}}",
        "amocrm_requests_per_second": 0,
        "elevenlabs_base_url": f"{url}/elevenlabs",
        "openai_base_url": f"{url}/openai/v1",
        "recordings_allow_hosts": url.removeprefix("http://"),
        "recordings_proxy_hosts": "nobody",
        "evenlabs": credentials.ELEVENLABS_KEY,
        "openai": credentials.OPENAI_KEY,
        "llm_requests_per_minute": 0,
    }
    return {name.upper(): str(value) for name, value in {**values, **changes}.items()}


def read_settings(environment: dict[str, str]) -> Settings:
    """The same installation for this process."""
    fields: dict[str, Any] = {name.lower(): value for name, value in environment.items()}
    for name in ("medai_secret", "api_key", "postgres_dsn", "evenlabs", "openai"):
        fields[name] = SecretStr(fields[name])
    return Settings(_env_file=None, **fields)


@contextmanager
def working(
    count: int, environment: dict[str, str], at_once: dict[Queue, int], dsn: str
) -> Iterator[list[int]]:
    """`count` worker processes with fixed jobs at once by queue, all waiting; their process ids."""
    queues = [f"--queue={queue}={number}" for queue, number in at_once.items()]
    with ExitStack() as resources:
        # Elsewhere, so that no .env of the developer is read.
        elsewhere = resources.enter_context(tempfile.TemporaryDirectory())
        workers = [
            subprocess.Popen(  # noqa: S603 - our own words
                [sys.executable, "-m", "medai", "worker", *queues],
                env={"PYTHONPATH": str(_SOURCES), "PATH": os.environ["PATH"], **environment},
                cwd=elsewhere,
                stderr=subprocess.DEVNULL,  # it says only that it was stopped
            )
            for _ in range(count)
        ]
        resources.callback(_stop, workers)
        _wait_until_registered(count * len(at_once), workers, dsn)
        yield [worker.pid for worker in workers]


def _wait_until_registered(wanted: int, workers: list["subprocess.Popen[bytes]"], dsn: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with psycopg.connect(dsn, autocommit=True) as connection:
        while time.monotonic() < deadline and all(one.poll() is None for one in workers):
            row = connection.execute(
                "SELECT count(*) FROM jobs.procrastinate_workers"
                " WHERE last_heartbeat > now() - interval '10 seconds'"
            ).fetchone()
            if row is not None and row[0] >= wanted:
                time.sleep(1.0)  # the first sweep and the first looks are over
                return
            time.sleep(_LOOK_SECONDS)
    raise RuntimeError("the workers did not start: see their errors above")


def _stop(workers: list["subprocess.Popen[bytes]"]) -> None:
    for worker in workers:
        worker.terminate()
    for worker in workers:
        try:
            worker.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()


def cpu_seconds(pids: list[int]) -> float:
    """Processor time of the processes so far."""
    return sum(_ticks(_stat(pid)) for pid in pids) / _TICKS


def peak_megabytes(pid: int) -> float:
    """The most memory the process has held (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError("the process has no memory: it has ended")


def postgres_seconds(dsn: str) -> float:
    """Processor time of the server: its first process, ended ones included, and living ones."""
    with psycopg.connect(dsn) as connection:
        server = int(_stat(connection.info.backend_pid)[_PARENT])
    ticks = sum(int(part) for part in _stat(server)[_USER:_CHILDREN_END])
    for folder in Path("/proc").iterdir():
        try:
            stat = _stat(int(folder.name)) if folder.name.isdecimal() else []
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended between the two looks
        if stat and int(stat[_PARENT]) == server:
            ticks += _ticks(stat)
    return ticks / _TICKS


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _ticks(stat: list[str]) -> int:
    return int(stat[_USER]) + int(stat[_USER + 1])
