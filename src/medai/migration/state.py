"""How far an upgrade is, kept beside the documents, and who may work meanwhile: nobody.

The old documents of a collection move to `old_<number>_<name>` at once (a rename), and the clean
ones are written beside them under the old name. So a name never holds both forms after the first
moment, and until the last document is written every door refuses to open.
"""

from dataclasses import dataclass, field
from typing import Any

from medai.errors import StoredDataError
from medai.infra.mongo_dump import MongoDump
from medai.migration.kinds import KINDS
from medai.migration.models import Kind
from medai.migration.report import Tally

STATE = "upgrade_state"
_ID = "upgrade"


@dataclass(slots=True)
class State:
    """The upgrade numbered `number` of the collections `names`; `finished`: all is written;
    `has_files`: old files of the data folder were looked for since."""

    number: int = 0
    names: list[str] = field(default_factory=list)
    finished: bool = True
    has_files: bool = False
    parts: dict[str, Tally] = field(default_factory=dict)

    def archive(self, name: str) -> str:
        """Where the old documents of a collection are."""
        return f"old_{self.number}_{name}"


async def load_state(dump: MongoDump) -> State:
    """The state; finished and without a number when there never was an upgrade."""
    found = await dump.state(STATE, _ID)
    if found is None:
        return State()
    parts = {name: Tally.of(part) for name, part in found["parts"].items()}
    has_files = bool(found.get("has_files"))
    return State(found["number"], list(found["names"]), found["finished"], has_files, parts)


async def save_state(dump: MongoDump, state: State) -> None:
    """Write the state; durable when this returns."""
    parts: dict[str, Any] = {name: tally.stored() for name, tally in state.parts.items()}
    document = {"number": state.number, "names": state.names, "finished": state.finished,
                "has_files": state.has_files}  # fmt: skip
    await dump.set_state(STATE, {"_id": _ID, **document, "parts": parts})


async def old_kinds(dump: MongoDump) -> list[Kind]:
    """The collections that hold documents of the old system."""
    names = await dump.names()
    return [k for k in KINDS if k.name in names and await dump.lacks(k.name, k.mark)]


async def restored_kinds(dump: MongoDump, state: State) -> list[Kind]:
    """Of an upgrade under way: collections that hold old documents although theirs had moved. The
    dump was restored once more (the checklist's way back), so what was made of them is void."""
    names = await dump.names()
    moved = {name for name in state.names if state.archive(name) in names}
    return [kind for kind in await old_kinds(dump) if kind.name in moved]


async def refuse_old_documents(dump: MongoDump) -> None:
    """Raise StoredDataError while documents of the old system, or half of ours, are in the way."""
    if not (await load_state(dump)).finished:
        raise StoredDataError(
            "Обновление прежней базы прервано: остановите службу и выполните medai db upgrade"
        )
    if old := await old_kinds(dump):
        names = ", ".join(kind.name for kind in old)
        raise StoredDataError(
            f"В MongoDB документы прежней системы ({names}): выполните medai db upgrade"
            " (docs/MIGRATION_CHECKLIST.md)"
        )
