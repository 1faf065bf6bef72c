"""The upgrade of a restored dump: batch by batch, begun again where it stopped."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date

from medai.calls.models import Stage
from medai.calls.repository import CALLS, DUPLICATE_CALLS
from medai.clinics.repository import CLINICS
from medai.datalens.days import ExportDays
from medai.infra.documents import Document, Documents
from medai.infra.mongo_dump import MongoDump
from medai.kit.days import zone
from medai.migration.batches import SET_ASIDE, Batch, sorted_out
from medai.migration.kinds import CLINIC_KIND, KINDS, LEFT_ALONE
from medai.migration.models import Context, Converted, Kind, Place
from medai.migration.plan import PAGE, converted, planned
from medai.migration.report import Report, Tally
from medai.migration.state import State, load_state, old_kinds, restored_kinds, save_state


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Turns the old documents of `dump` into those that `documents` (the same database) keeps.

    Raises StoreError; after any end it may be run again. Nobody else may write meanwhile.
    """

    dump: MongoDump
    documents: Documents
    export_days: ExportDays
    context: Context

    async def run(self) -> Report:
        """Upgrade what is old; nothing happens when nothing is."""
        state, resumed = await self._begun()
        report = Report(is_dry=False, was_resumed=resumed)
        if not state.finished:
            await self._move(state)
            await self._convert(state)
            report.days = await self._touch_days()
            report.parts = state.parts
            report.archives = {name: state.archive(name) for name in state.names}
            state.finished = True
            await save_state(self.dump, state)
            report.left_alone = await left_alone(self.dump)
        return report

    async def _begun(self) -> tuple[State, bool]:
        """The state of an upgrade under way or of a new one, and whether it was under way."""
        state = await load_state(self.dump)
        if not state.finished:
            for kind in await restored_kinds(self.dump, state):
                state.names.remove(kind.name)
                state.parts.pop(kind.name, None)
            if state.names:
                return state, True
        names = [kind.name for kind in await old_kinds(self.dump)]
        if not names:
            return state, False
        taken, number = await self.dump.names(), state.number + 1
        while any(f"old_{number}_{name}" in taken for name in names):
            number += 1
        state = State(number, names, finished=False)
        await save_state(self.dump, state)
        return state, False

    async def _move(self, state: State) -> None:
        names = await self.dump.names()
        for name in state.names:
            if state.archive(name) not in names:
                await self.dump.rename(name, state.archive(name))
        await self.documents.prepare([DUPLICATE_CALLS, SET_ASIDE])

    async def _convert(self, state: State) -> None:
        is_old = CLINIC_KIND.name in state.names
        clinics = state.archive(CLINICS.name) if is_old else CLINICS.name
        context = await with_places(self.dump, clinics, self.context)
        for kind in KINDS:
            if kind.name not in state.names:
                continue
            tally = state.parts.setdefault(kind.name, Tally())
            async for batch in batches(self.dump, kind, state.archive(kind.name), context, tally):
                await self._write(kind, batch)
                await save_state(self.dump, state)
        # Afterwards: a filled collection is indexed several times as fast as it fills indexed.
        kinds = [kind.collection for kind in KINDS if kind.name in state.names]
        await self.documents.prepare(kinds)

    async def _write(self, kind: Kind, batch: Batch) -> None:
        await self.dump.add(kind.name, batch.kept)
        await self.dump.add(DUPLICATE_CALLS.name, batch.duplicates)
        await self.dump.add(SET_ASIDE.name, batch.aside)

    async def _touch_days(self) -> int:
        """Days of analysed calls are due: the true ones, and those under which boards had them."""
        days: set[tuple[str, str]] = set()
        for path in ("business_day", "legacy.day"):
            analysed = {"stage": Stage.ANALYSED.value}
            found = await self.documents.groups(CALLS, ["client_id", path], analysed)
            days.update((client, day) for (client, day), _ in found if isinstance(day, str))
        for client_id, day in sorted(days):
            await self.export_days.touch(client_id, date.fromisoformat(day))
        return len(days)


async def dry_run(dump: MongoDump, context: Context) -> Report:
    """The report of an upgrade that is not carried out: nothing is written."""
    report = Report(is_dry=True)
    state = await load_state(dump)
    old = await old_kinds(dump)
    names = [kind.name for kind in old] if state.finished else state.names
    moved: set[str] = set()
    if not state.finished:
        again = {state.archive(kind.name) for kind in await restored_kinds(dump, state)}
        moved = await dump.names() - again
    sources = {n: state.archive(n) if state.archive(n) in moved else n for n in names}
    clinics = sources.get(CLINICS.name, CLINICS.name)
    context = await with_places(dump, clinics, context)
    for kind in KINDS:
        if kind.name in sources:
            tally = report.parts[kind.name] = Tally()
            async for _ in batches(dump, kind, sources[kind.name], context, tally):
                pass
    report.left_alone = await left_alone(dump) if report.parts else {}
    return report


async def batches(
    dump: MongoDump, kind: Kind, source: str, context: Context, tally: Tally
) -> AsyncIterator[Batch]:
    """The collection batch by batch from where the tally ends; it counts each before it is
    yielded, so whoever stores it stores the tally too."""
    plan = await planned(kind, dump, source, context)
    async for page in dump.pages(source, PAGE, start=tally.read):
        yield sorted_out(kind, page, plan, context, tally)


async def with_places(dump: MongoDump, clinics: str, context: Context) -> Context:
    """The context with every id of every clinic, as other documents may name it."""
    places: dict[str, Place] = {}
    async for page in dump.pages(clinics, PAGE):
        for raw in page:
            found = converted(CLINIC_KIND, raw, context)
            if isinstance(found, Converted):
                place = place_of(found.document, context)
                places[str(raw["_id"])] = places[place.client_id] = place
    return replace(context, places=places)


def place_of(clinic: Document, context: Context) -> Place:
    """The clinic as other conversions see it."""
    tz = zone(clinic["timezone"]) if clinic.get("timezone") else context.tz
    return Place(clinic["client_id"], tz, clinic.get("subdomain") or "")


async def left_alone(dump: MongoDump) -> dict[str, int]:
    """Collections of the old system that nobody reads, and how many documents they hold."""
    names = await dump.names()
    return {name: await dump.count(name) for name in LEFT_ALONE if name in names}
