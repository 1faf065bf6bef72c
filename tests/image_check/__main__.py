"""`make image-check`: what deploy/Dockerfile builds, built without a container engine.

The COPY and RUN lines of the first stage are done word for word in a temporary folder, with this
Python instead of the image's; then what came out is looked at and used, as the image would be.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fixtures.dockerfile import HOME, ROOT, Instruction, copied, gets_in, programs, stages

_TOOLS = {"pip", "setuptools"}
_USED = {"reports", "files", "postgres", "postgres_tables", "documents", "data_folder"}
"""What `medai doctor` must find good: packaged templates, fonts, migrations, PostgreSQL."""


def main() -> int:
    """Build and look; 0 when the image is what it should be."""
    with tempfile.TemporaryDirectory(prefix="image-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        target = folder / "medai"
        _build(folder / "build", target)
        programs(target / "bin")
        faults = [*_packages(target), *_use(target, folder)]
    for fault in faults:
        print(f"image-check: {fault}")
    print("image-check:", "failed" if faults else "the image is whole")
    return 1 if faults else 0


def _build(context: Path, target: Path) -> None:
    context.mkdir()
    for one in stages()[0]:
        if one.word == "COPY":
            _copy(one, context)
        elif one.word == "RUN":
            words = re.sub(r"^python\b", sys.executable, one.rest).replace(HOME, str(target))
            print(f"+ {words}", flush=True)
            quiet = {**os.environ, "PIP_QUIET": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            subprocess.run(["/bin/sh", "-euc", words], cwd=context, env=quiet, check=True)  # noqa: S603


def _copy(one: Instruction, context: Path) -> None:
    for source, _ in copied([one]):
        if (ROOT / source).is_file():
            shutil.copy(ROOT / source, context)
            continue
        for path in (ROOT / source).rglob("*"):
            inside = path.relative_to(ROOT)
            if path.is_file() and gets_in(str(inside)):
                (context / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, context / inside)


def _packages(target: Path) -> list[str]:
    names = {
        path.name.split("-")[0].lower().replace("_", "-")
        for path in target.glob("lib/python*/site-packages/*.dist-info")
    }
    locked = {file: _locked(file) for file in ("requirements.txt", "requirements-dev.txt")}
    unwanted = (locked["requirements-dev.txt"] - locked["requirements.txt"]) | _TOOLS
    found = [f"{name} has no place in it" for name in sorted(names & unwanted)]
    return found if "medai" in names else [*found, "medai is not in it"]


def _locked(file: str) -> set[str]:
    text = (ROOT / file).read_text("utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))


def _use(target: Path, folder: Path) -> list[str]:
    environment = {
        "PATH": f"{target}/bin{os.pathsep}{os.defpath}",
        "HOME": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MEDAI_DATA_DIR": str(folder / "data"),
        "ENVIRONMENT": "production",
        "API_KEY": "image-check-key-0123456789",
        "MEDAI_SECRET": "image check: 32 characters or more",
        "EVENLABS": "none",
        "OPENAI": "none",
    }
    asked = subprocess.run(
        ["/bin/sh", "-c", "medai db upgrade >/dev/null && medai doctor --no-providers --json"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        findings = json.loads(asked.stdout)["findings"]
    except (ValueError, KeyError):
        return [f"medai does not run: {asked.stderr[-500:]}"]
    good = {one["check"] for one in findings if one["level"] == "ok"}
    return [f"medai doctor: {check} is not good" for check in sorted(_USED - good)]


if __name__ == "__main__":
    sys.exit(main())
