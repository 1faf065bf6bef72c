"""Keys that a development installation makes for itself."""

import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from medai.errors import SettingsError
from medai.infra.own_keys import own_key


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    key = own_key(tmp_path, "api-key")
    assert len(key) >= 43
    assert own_key(tmp_path, "api-key") == key
    assert own_key(tmp_path, "secret") != key


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    own_key(tmp_path, "secret")
    assert stat.S_IMODE((tmp_path / "keys" / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_everybody_who_starts_together_gets_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, make = Barrier(8), secrets.token_urlsafe

    def made(size: int) -> str:
        together.wait(10)  # all of them have seen that there is no key yet
        return make(size)

    monkeypatch.setattr(secrets, "token_urlsafe", made)
    # Threads share a process id, as processes of two containers may.
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: own_key(tmp_path, "secret"), range(8)))
    assert set(keys) == {own_key(tmp_path, "secret")}
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["secret"]


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file in the folder's place")
    with pytest.raises(SettingsError, match="MEDAI_DATA_DIR"):
        own_key(tmp_path, "secret")
