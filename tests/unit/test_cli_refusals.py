"""What commands refuse before any work, in words, and what they do not carry with them."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.fixtures.command_line import SOURCES

from medai.cli.exporting import save
from medai.cli.own_call import read_recording
from medai.cli.running import read_settings
from medai.cli.serving import listening
from medai.errors import InvalidInputError, RecordingError, SettingsError
from medai.settings import Settings


def test_commands_do_not_load_the_bot() -> None:
    """It takes more memory than the rest of a command together."""
    program = "import sys, medai.cli.app; print('aiogram' in sys.modules)"
    command = [sys.executable, "-c", program]
    path = {"PYTHONPATH": str(SOURCES)}
    answer = subprocess.run(command, env=path, capture_output=True, text=True, check=True)  # noqa: S603
    assert answer.stdout == "False\n"


def test_a_taken_port_is_told_with_its_settings() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(_env_file=None, medai_port=taken.getsockname()[1])
        with pytest.raises(SettingsError, match="MEDAI_PORT"):
            listening(settings.medai_host, settings.medai_port, "MEDAI_PORT")


def test_a_free_port_listens() -> None:
    settings = Settings(_env_file=None, medai_port=0)
    with (
        listening(settings.medai_host, settings.medai_port, "MEDAI_PORT") as listener,
        socket.create_connection(listener.getsockname(), timeout=5) as connection,
    ):
        assert connection.getpeername() == listener.getsockname()
        accepted, _ = listener.accept()
        with accepted:  # the body of an answer does not wait until its head is acknowledged
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("name", "value", "takes"),
    [
        ("MEDAI_PORT", "s3cret", "целое число"),
        ("MEDAI_DIGEST_HOUR", "24", "не больше 23"),
        ("MEDAI_WORKER_METRICS_PORT", "-1", "не меньше 0"),
        ("LOG_LEVEL", "s3cret", "одно из 'DEBUG', 'INFO', 'WARNING' или 'ERROR'"),
    ],
)
def test_a_wrong_setting_is_told_with_what_it_takes(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, takes: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        read_settings(_env_file=None)
    told = "Неверное значение настроек: {} ({}); смотрите .env.example"
    assert caught.value.message == told.format(name, takes)


def test_a_report_goes_where_it_can_be_written(tmp_path: Path) -> None:
    save(tmp_path / "new" / "report.pdf", b"%PDF")
    assert (tmp_path / "new" / "report.pdf").read_bytes() == b"%PDF"
    with pytest.raises(InvalidInputError, match="не записывается"):
        save(tmp_path / "new" / "report.pdf" / "inside.pdf", b"%PDF")


def test_only_files_of_a_sane_size_are_recordings(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, recordings_max_megabytes=1)
    with pytest.raises(RecordingError, match="не файл"):
        read_recording(tmp_path, settings)
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(1024 * 1024 + 1))
    with pytest.raises(RecordingError, match="1 МБ"):
        read_recording(large, settings)


@pytest.mark.parametrize("template", ["http://x/{foo}", "http://x/{}", "http://x/{subdomain"])
def test_an_address_template_holds_the_subdomain_only(template: str) -> None:
    with pytest.raises(ValidationError):
        Settings(_env_file=None, amocrm_base_url_template=template)
