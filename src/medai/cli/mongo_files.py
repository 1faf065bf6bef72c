"""`python -m medai.cli.mongo_files dump|load FOLDER [--replace]`: MongoDB as files, for backups.

deploy/backup.sh and deploy/restore.sh call it within `medai db run`. A program of its own, because
it needs settings and a driver only and so starts in a moment.
"""

import sys
from pathlib import Path

from medai.errors import InvalidInputError, MedaiError
from medai.infra import mongo_copy
from medai.settings import Settings

_USE = "mongo_files: dump FOLDER | load FOLDER [--replace]"


def main(words: list[str]) -> int:
    """Do it and tell the documents of each collection; 1 and one line when it fails."""
    try:
        counts = _done(words, Settings())
    except MedaiError as error:
        sys.stderr.write(f"Ошибка: {error.message}\n")
        return 1
    for name, count in counts.items():
        sys.stdout.write(f"{name}: {count}\n")
    return 0


def _done(words: list[str], settings: Settings) -> mongo_copy.Counts:
    uri, name = settings.mongodb_uri, settings.mongodb_name
    match words:
        case ["dump", folder]:
            return mongo_copy.dump(uri, name, Path(folder))
        case ["load", folder, *rest] if rest in ([], ["--replace"]):
            return mongo_copy.load(uri, name, Path(folder), replace=bool(rest))
    raise InvalidInputError(_USE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
