"""How each command of the documents is known to work: run by a test, or a reason why not.

A command that no line below covers fails `make docs-check`.
"""

from dataclasses import dataclass

from tests.documents.reading import Command

HERE = "tests/documents/test_document_commands.py"


@dataclass(frozen=True, slots=True)
class Way:
    """`test`: the file that runs it. `reason`: why nobody can. One of the two."""

    test: str = ""
    reason: str = ""


_PAGES = {
    "docs/api.md": Way(test="tests/acceptance/test_api_page.py"),
    "docs/datalens.md": Way(test="tests/acceptance/test_export_commands.py"),
    "docs/benchmarks.md": Way(reason="minutes each; make bench runs all of them"),
}
"""Pages that one way holds for, whatever command they bring, `medai` excepted."""

_MEDAI = {
    "run": Way(test="tests/acceptance/test_stopping.py"),
    "api": Way(test="tests/documents/test_document_services.py"),
    "worker": Way(test="tests/documents/test_document_services.py"),
    "bot": Way(test="tests/acceptance/test_bot_process.py"),
    "demo": Way(test="tests/acceptance/test_demo.py"),
    "db upgrade": Way(test="tests/migration/test_restored_dump.py"),
    "db run": Way(test="tests/acceptance/test_backup.py"),
    "export-data": Way(test="tests/acceptance/test_transfer_commands.py"),
    "import-data": Way(test="tests/acceptance/test_transfer_commands.py"),
    "db reader": Way(test="tests/acceptance/test_export_commands.py"),
    "held repeat": Way(test="tests/acceptance/test_ledger_doors.py"),
    "held drop": Way(test="tests/acceptance/test_ledger_doors.py"),
    "sandbox": Way(test="tests/documents/test_document_services.py"),
}
"""Commands that stay until they are stopped, or need what `HERE` has not. It runs all others."""

_PROGRAMS = {
    "make": Way(test="tests/unit/test_documents.py"),  # each target, dry, from nothing
    "curl": Way(test=HERE),
    "export": Way(test=HERE),
    "read": Way(reason="asks a person"),
    "cp": Way(reason="a copy of .env.example, which tests/unit/test_documents.py reads"),
    "cat": Way(reason="shows a file"),
    "cd": Way(reason="the reader's own folder"),
    "df": Way(reason="the system's own tool"),
    "du": Way(reason="the system's own tool"),
    "ls": Way(reason="the system's own tool"),
    "openssl": Way(reason="the system's own tool"),
    "tar": Way(reason="the system's own tool"),
    "crontab": Way(reason="the system's own tool"),
    "journalctl": Way(reason="needs systemd"),
    "systemctl": Way(reason="needs systemd"),
    "useradd": Way(reason="changes the machine"),
    "install": Way(reason="changes the machine"),
    "sudo": Way(reason="changes the machine"),
    "nginx": Way(reason="needs an nginx"),
    "certbot": Way(reason="needs the internet and a name"),
    "git": Way(reason="needs the repository's address"),
    "apt-get": Way(reason="needs the internet"),
    "pip": Way(reason="needs the internet; make install does the same"),
    "python": Way(reason="makes a virtual environment; make install does the same"),
    "python3": Way(reason="makes a virtual environment; make install does the same"),
    "docker": Way(reason="needs a container engine; the compose file has tests of its own"),
    "mongodump": Way(reason="needs MongoDB's own tools"),
    "mongorestore": Way(reason="needs MongoDB's own tools"),
    "mongosh": Way(reason="needs MongoDB's own tools"),
    "pg_dump": Way(reason="needs PostgreSQL's own tools"),
    "pg_restore": Way(reason="needs PostgreSQL's own tools"),
    "psql": Way(reason="needs PostgreSQL's own tools"),
    "createdb": Way(reason="needs PostgreSQL's own tools"),
    "pytest": Way(reason="is the test itself"),
}


_FOLDERS = {
    "deploy/": Way(test="tests/acceptance/test_backup.py"),
    "scripts/": Way(test="tests/acceptance/test_script_doors.py"),
}
"""Programs of ours."""


def way(command: Command) -> Way | None:
    """How the command is known to work; None: nobody knows."""
    if command.program == "medai":
        words = (*command.words[1:3], "", "")
        return _MEDAI.get(" ".join(words[:2])) or _MEDAI.get(words[0]) or Way(test=HERE)
    program = command.program.removeprefix("./")
    for folder, found in _FOLDERS.items():
        if program.startswith(folder):
            return found
    return _PAGES.get(command.document) or _PROGRAMS.get(program)
