"""The installation's keys: given in production, made at first start when developing."""

import os
import secrets
import tempfile
from pathlib import Path

from medai.errors import SettingsError
from medai.settings import Settings

_KEY_BYTES = 32
_SHORTEST_SECRET = 32


def installation_keys(settings: Settings) -> tuple[str, str]:
    """(the owner's API key, the secret behind links and encryption).

    Raises SettingsError in production when one is missing or weak: the API is never open.
    """
    api_key = settings.api_key.get_secret_value()
    secret = settings.medai_secret.get_secret_value()
    if settings.environment == "production":
        _check(api_key, secret)
    return (
        api_key or own_key(settings.data_dir, "api-key"),
        secret or own_key(settings.data_dir, "secret"),
    )


def _check(api_key: str, secret: str) -> None:
    if not api_key:
        raise SettingsError("Задайте API_KEY: без него служба в production не запускается")
    if len(secret) < _SHORTEST_SECRET:
        raise SettingsError(
            f"Задайте MEDAI_SECRET не короче {_SHORTEST_SECRET} символов, например:"
            " openssl rand -base64 48"
        )


def own_key(data_dir: Path, name: str) -> str:
    """The installation's own key of this name, made at first use, readable by its owner only.

    Two processes that start together get one key. Raises SettingsError when the folder is not
    writable.
    """
    path = data_dir / "keys" / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _create(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingsError(
            f"Папка {path.parent} недоступна для записи: дайте права или смените MEDAI_DATA_DIR"
        ) from error


def _create(path: Path) -> None:
    # A name of its own: processes of two containers may share a folder and a process id.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_KEY_BYTES))
        # A link fails when the name exists: the first process wins, the others read its key.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
