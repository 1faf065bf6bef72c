"""Keys that a development installation makes for itself and keeps in its data folder."""

import os
import secrets
import tempfile
from pathlib import Path

from medai.errors import SettingsError

_KEY_BYTES = 32


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
