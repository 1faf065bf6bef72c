"""One suite for all document adapters: what a repository may rely on."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from medai.errors import ConflictError
from medai.infra.documents import (
    MAX_IDS_PER_QUERY,
    Change,
    Collection,
    Document,
    Documents,
    Not,
    OneOf,
    Present,
    Range,
    Where,
)
from medai.infra.jsonb import canonical

CALLS = Collection(
    "calls",
    unique=(("client_id", "note_id"), ("event.uniq",)),
    indexes=(("client_id", "started_at"), ("stage",)),
)
NOON = datetime(2026, 3, 2, 12, 0, 0, 123000, UTC)


@pytest.fixture
async def store(documents: Documents) -> Documents:
    await documents.prepare([CALLS])
    return documents


async def ids(
    store: Documents, where: Where, sort: Sequence[tuple[str, int]] = (), limit: int | None = None
) -> list[str]:
    return [one["_id"] async for one in store.find(CALLS, where, sort=sort, limit=limit)]


async def fill(store: Documents, *documents: Document) -> None:
    assert await store.put_many(CALLS, documents) == len(documents)


class TestRoundTrip:
    async def test_every_kind_of_value_comes_back(self, store: Documents) -> None:
        document = {
            "_id": "a",
            "none": None,
            "yes": True,
            "whole": 2**62,
            "real": 0.1,
            "text": "Здравствуйте 🦷 \"'\\ %s $1",
            "list": [1, [2], {"deep": NOON}],
            "object": {"b": {"c": [None]}, "a": 1},
        }
        assert await store.insert(CALLS, document)
        assert await store.get(CALLS, "a") == document

    async def test_floats_stay_floats(self, store: Documents) -> None:
        numbers = [1.0, 0.0, -0.0, 1e15, 1e16, 2.5e17, -1e22, 1e300, 5e-324, 1.7976931348623157e308]
        texts = {"text": '1e+16 \\"1e+16', "1e+16": "e+1"}
        await fill(store, {"_id": "a", "numbers": numbers, "whole": [1, 2**62], **texts})
        found = await store.get(CALLS, "a")
        assert found == {"_id": "a", "numbers": numbers, "whole": [1, 2**62], **texts}
        assert [type(one) for one in found["numbers"]] == [float] * len(numbers)
        assert not any(isinstance(one, float) for one in found["whole"])

    async def test_moments_keep_milliseconds_and_come_back_in_utc(self, store: Documents) -> None:
        local = NOON.astimezone(timezone(timedelta(hours=10))) + timedelta(microseconds=456)
        before_epoch = datetime(1969, 12, 31, 23, 59, 59, 999000, UTC)
        await fill(store, {"_id": "a", "at": local, "old": before_epoch, "day": date(2026, 3, 2)})
        found = await store.get(CALLS, "a")
        assert found == {"_id": "a", "at": NOON, "old": before_epoch, "day": "2026-03-02"}
        assert found["at"].utcoffset() == timedelta(0)

    async def test_a_naive_moment_is_refused(self, store: Documents) -> None:
        with pytest.raises(ValueError, match="naive"):
            await store.insert(CALLS, {"_id": "a", "at": NOON.replace(tzinfo=None)})

    async def test_text_that_stores_refuse_is_made_harmless(self, store: Documents) -> None:
        await fill(store, {"_id": "a", "text": "до\x00после \ud800 🎧"})
        found = await store.get(CALLS, "a")
        assert found is not None
        assert found["text"] == "до\ufffdпосле \ufffd 🎧"
        assert await ids(store, {"text": "до\x00после \ud800 🎧"}) == ["a"]

    @pytest.mark.parametrize("key", ["", "a.b", "$date"])
    async def test_keys_with_a_meaning_are_refused(self, store: Documents, key: str) -> None:
        with pytest.raises(ValueError, match="key"):
            await store.insert(CALLS, {"_id": "a", "object": {key: 1}})

    async def test_a_missing_document_is_none(self, store: Documents) -> None:
        assert await store.get(CALLS, "nobody") is None


class TestUniqueKeys:
    async def test_a_second_insert_stores_nothing(self, store: Documents) -> None:
        assert await store.insert(CALLS, {"_id": "a", "client_id": "c", "note_id": 1, "v": 1})
        assert not await store.insert(CALLS, {"_id": "a", "client_id": "d", "note_id": 2, "v": 2})
        assert not await store.insert(CALLS, {"_id": "b", "client_id": "c", "note_id": 1, "v": 3})
        assert await ids(store, {}) == ["a"]
        assert (await store.get(CALLS, "a") or {})["v"] == 1

    async def test_null_and_missing_parts_do_not_take_part(self, store: Documents) -> None:
        for number, extra in enumerate([{}, {}, {"note_id": None}, {"note_id": None}]):
            document = {"_id": f"a{number}", "client_id": "c", "event": {"uniq": None}, **extra}
            assert await store.insert(CALLS, document)

    async def test_parts_are_compared_with_their_type(self, store: Documents) -> None:
        assert await store.insert(CALLS, {"_id": "a", "client_id": "c", "note_id": 1})
        assert await store.insert(CALLS, {"_id": "b", "client_id": "c", "note_id": "1"})

    async def test_a_nested_key_is_unique(self, store: Documents) -> None:
        assert await store.insert(CALLS, {"_id": "a", "event": {"uniq": "u"}})
        assert not await store.insert(CALLS, {"_id": "b", "event": {"uniq": "u"}})

    async def test_replacing_and_changing_raise_conflict(self, store: Documents) -> None:
        await fill(store, *({"_id": i, "client_id": "c", "note_id": i} for i in ("a", "b")))
        with pytest.raises(ConflictError):
            await store.put_many(CALLS, [{"_id": "b", "client_id": "c", "note_id": "a"}])
        with pytest.raises(ConflictError):
            await store.update(CALLS, "b", Change(set={"note_id": "a"}))
        assert (await store.get(CALLS, "b") or {})["note_id"] == "b"

    async def test_one_of_many_simultaneous_inserts_wins(self, store: Documents) -> None:
        attempts = [
            store.insert(CALLS, {"_id": f"a{number}", "client_id": "c", "note_id": 7})
            for number in range(30)
        ]
        assert sum(await asyncio.gather(*attempts)) == 1

    async def test_preparing_over_duplicates_says_what_to_do(self, documents: Documents) -> None:
        bare = Collection("visits")
        await documents.prepare([bare])
        await documents.put_many(bare, [{"_id": "a", "n": 1}, {"_id": "b", "n": 1}])
        with pytest.raises(ConflictError, match="medai db upgrade"):
            await documents.prepare([Collection("visits", unique=(("n",),))])

    async def test_preparing_again_and_together_changes_nothing(self, store: Documents) -> None:
        await fill(store, {"_id": "a"})
        await asyncio.gather(*(store.prepare([CALLS]) for _ in range(5)))
        assert await ids(store, {}) == ["a"]


class TestConditions:
    @pytest.fixture
    async def mixed(self, store: Documents) -> Documents:
        values: dict[str, Any] = {
            "five": 5, "six": 6.5, "text5": "5", "text9": "9", "null": None, "yes": True,
            "noon": NOON, "later": NOON + timedelta(milliseconds=1), "list": [5, None],
            "object": {"inner": 5},
        }  # fmt: skip
        await fill(store, {"_id": "missing"}, *({"_id": k, "v": v} for k, v in values.items()))
        return store

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            (5, "five"),
            ("5", "text5"),
            (True, "yes"),
            (NOON, "noon"),
            ({"inner": 5}, "object"),
            ([5, None], "list"),
            (None, "missing null"),
            (OneOf((5, "9", NOON)), "five noon text9"),
            (OneOf((None,)), "missing null"),
            (OneOf(()), ""),
            (Range(at_least=5), "five six"),
            (Range(above=5), "six"),
            (Range(at_least=5, below=6.5), "five"),
            (Range(at_most="5"), "text5"),
            (Range(at_least=NOON), "later noon"),
            (Range(above=NOON, at_most=NOON + timedelta(milliseconds=1)), "later"),
            (Range(), "five later list noon object six text5 text9 yes"),
            (Not(5), "later list missing noon null object six text5 text9 yes"),
            (Not(None), "five later list noon object six text5 text9 yes"),
        ],
    )
    async def test_a_condition_finds_exactly_its_own(
        self, mixed: Documents, asked: Any, expected: str
    ) -> None:
        assert sorted(await ids(mixed, {"v": asked})) == expected.split()

    async def test_all_conditions_hold_and_paths_go_deep(self, mixed: Documents) -> None:
        assert await ids(mixed, {"v.inner": 5, "_id": OneOf(("object", "five"))}) == ["object"]
        assert await ids(mixed, {"v.inner": 5, "_id": Not("object")}) == []
        assert await ids(mixed, {"_id": Range(at_least="te", below="text9")}) == ["text5"]
        assert "missing" in await ids(mixed, {"v.inner": None})

    async def test_a_range_over_two_types_is_refused(self, mixed: Documents) -> None:
        with pytest.raises(ValueError, match="types"):
            await ids(mixed, {"v": Range(at_least=1, below="x")})

    async def test_too_many_values_are_refused(self) -> None:
        with pytest.raises(ValueError, match="at most"):
            OneOf(tuple(range(MAX_IDS_PER_QUERY + 1)))

    @pytest.mark.parametrize("path", ["a'b", "a..b", "", "$where", 'a"', "a b"])
    async def test_paths_cannot_carry_statements(self, store: Documents, path: str) -> None:
        with pytest.raises(ValueError, match="path"):
            await ids(store, {path: 1})
        with pytest.raises(ValueError, match="path"):
            await ids(store, {}, [(path, 1)])


class TestGroups:
    async def test_every_type_is_a_value_of_its_own_and_missing_is_none(
        self, store: Documents
    ) -> None:
        later = NOON + timedelta(milliseconds=1)
        values: list[Any] = [5, 6.5, "5", "", 0, 1, False, True, NOON, later, [5, None], {}]
        alone: list[Document] = [{"v": value} for value in values]
        many: list[Document] = [{}, {"v": None}, {"v": "5"}, {"v": True}, {"v": later}]
        await fill(store, *({"_id": str(n), **one} for n, one in enumerate([*alone, *many])))

        found = await store.groups(CALLS, ["v"], {})

        twice = ["5", True, later]
        expected = [((one,), 1 + any(one is two for two in twice)) for one in values]
        assert same(found, [*expected, ((None,), 2)])

    async def test_combinations_in_the_order_of_the_paths(self, store: Documents) -> None:
        rows: list[Document] = [
            {"x": 1, "y": {"z": "a", "w": {"q": NOON}}},
            {"x": 1, "y": {"z": "a", "w": {"q": NOON}}, "other": 7},
            {"x": 1, "y": {"z": None, "w": 5}},
            {"x": "1", "y": {"z": "a"}},
            {"x": 1, "y": None},
            {"x": 1, "y": [{"z": "a"}]},
            {"x": 1},
            {"y": {"z": "a"}, "left": "out"},
        ]
        await fill(store, *({"_id": str(n), **row} for n, row in enumerate(rows)))

        found = await store.groups(CALLS, ["y.z", "x", "y.w.q"], {"left": None})

        assert same(
            found,
            [(("a", 1, NOON), 2), ((None, 1, None), 4), (("a", "1", None), 1)],
        )

    async def test_present_is_neither_missing_nor_null(self, store: Documents) -> None:
        values: list[Any] = [None, 0, "", False, {}, [], {"inner": None}, {"inner": 1}]
        await fill(store, {"_id": "-"}, *({"_id": str(n), "v": v} for n, v in enumerate(values)))
        by = [Present("v"), Present("v.inner")]
        found = await store.groups(CALLS, by, {})
        assert same(found, [((False, False), 2), ((True, False), 6), ((True, True), 1)])

    async def test_subdocuments_are_equal_in_any_order_of_keys(self, store: Documents) -> None:
        one = {"a": {"x": 1, "at": NOON}, "b": [{"p": 1, "q": None}]}
        other = {"b": [{"q": None, "p": 1}], "a": {"at": NOON, "x": 1}}
        more = {**one, "c": None}
        await fill(store, *({"_id": str(n), "v": v} for n, v in enumerate([one, other, more])))
        assert same(await store.groups(CALLS, ["v"], {}), [((one,), 2), ((more,), 1)])

    async def test_ids_and_odd_names_can_be_grouped_by(self, store: Documents) -> None:
        await fill(store, {"_id": "a", "id": 1, "doc": 2, "Select-2": {"k": True}})
        by = ["_id", "id", "doc", "Select-2.k", "field", "matching"]
        found = await store.groups(CALLS, by, {"id": 1, "doc": 2})
        assert found == [(("a", 1, 2, True, None, None), 1)]

    async def test_nothing_matches_nothing_is_found(self, store: Documents) -> None:
        assert await store.groups(CALLS, ["v"], {}) == []
        await fill(store, {"_id": "a"})
        assert await store.groups(CALLS, ["v"], {"_id": "nobody"}) == []

    @pytest.mark.parametrize("by", [[], ["a'b"], ['a"'], [Present("a b")], ["a" * 64]])
    async def test_a_grouping_names_paths_that_carry_no_statement(
        self, store: Documents, by: Sequence[str | Present]
    ) -> None:
        with pytest.raises(ValueError, match="path"):
            await store.groups(CALLS, by, {})


Groups = list[tuple[tuple[Any, ...], int]]


def same(ours: Groups, theirs: Groups) -> bool:
    """Equal in any order, and with the same types: to Python, True is 1."""
    return sorted(map(canonical, ours)) == sorted(map(canonical, theirs))


class TestOrder:
    async def test_types_have_one_order_and_ids_break_ties(self, store: Documents) -> None:
        ordered: list[Any] = [None, -1, 2.5, 10, "10", "9", "Z", "a", "Я", "а", "ё", True, NOON]
        names = [f"{number:02}" for number in range(len(ordered))]
        pairs = list(zip(names, ordered, strict=True))
        await fill(store, {"_id": "00a"}, *({"_id": n, "v": v} for n, v in reversed(pairs)))
        expected = ["00", "00a", *names[1:]]
        assert await ids(store, {}, [("v", 1)]) == expected
        assert await ids(store, {}, [("v", -1)]) == [*reversed(names[1:]), "00", "00a"]

    async def test_several_fields_and_limit(self, store: Documents) -> None:
        rows = [("a", 1, 2), ("b", 1, 3), ("c", 0, 9), ("d", 1, 3)]
        await fill(store, *({"_id": i, "x": x, "y": {"z": z}} for i, x, z in rows))
        sort = [("x", -1), ("y.z", -1)]
        assert await ids(store, {}, sort) == ["b", "d", "a", "c"]
        assert await ids(store, {}, [*sort, ("_id", -1)]) == ["d", "b", "a", "c"]
        assert await ids(store, {}, sort, limit=2) == ["b", "d"]
        assert await ids(store, {}, sort, limit=0) == []


class TestPutMany:
    async def test_counts_only_what_is_new_or_changed(self, store: Documents) -> None:
        first: list[Document] = [
            {"_id": str(number), "v": {"at": NOON, "n": number}} for number in range(1200)
        ]
        assert await store.put_many(CALLS, first) == 1200
        assert await store.put_many(CALLS, first) == 0
        second: list[Document] = [*first[:-1], {"_id": "1199", "other": 1}, {"_id": "new"}]
        assert await store.put_many(CALLS, second) == 2
        assert await store.get(CALLS, "1199") == {"_id": "1199", "other": 1}
        assert await store.put_many(CALLS, []) == 0

    async def test_the_last_of_one_id_remains(self, store: Documents) -> None:
        await store.put_many(CALLS, [{"_id": "a", "v": 1}, {"_id": "a", "v": 2}])
        assert (await store.get(CALLS, "a") or {})["v"] == 2

    async def test_many_writers_of_the_same_documents_agree(self, store: Documents) -> None:
        batch = [{"_id": str(number), "v": number} for number in range(40)]
        written = await asyncio.gather(
            *(store.put_many(CALLS, batch[::step]) for step in (1, -1) * 8)
        )
        assert sum(written) == 40
        assert len(await ids(store, {})) == 40

    @pytest.mark.parametrize("doc_id", [None, "", 5])
    async def test_an_id_is_a_text(self, store: Documents, doc_id: Any) -> None:
        with pytest.raises(ValueError, match="_id"):
            await store.put_many(CALLS, [{"_id": doc_id}])


class TestUpdate:
    async def test_sets_adds_and_removes_nested_fields(self, store: Documents) -> None:
        await fill(store, {"_id": "a", "n": 1, "old": 1, "deep": {"keep": True, "gone": 1}})
        change = Change(
            set={"deep.new.leaf": NOON, "list": [1]},
            increment={"n": 2, "deep.count": 0.5},
            unset=["old", "deep.gone", "nothing.here"],
        )
        assert await store.update(CALLS, "a", change)
        assert await store.get(CALLS, "a") == {
            "_id": "a", "n": 3, "list": [1],
            "deep": {"keep": True, "new": {"leaf": NOON}, "count": 0.5},
        }  # fmt: skip

    async def test_tells_whether_the_condition_held(self, store: Documents) -> None:
        await fill(store, {"_id": "a", "revision": 1})
        change = Change(increment={"revision": 1})
        assert not await store.update(CALLS, "nobody", change)
        assert await store.update(CALLS, "a", change, where={"revision": 1})
        assert not await store.update(CALLS, "a", change, where={"revision": 1})
        assert await store.update(CALLS, "a", Change(set={"revision": 2}))

    @pytest.mark.parametrize(
        "change",
        [
            Change(),
            Change(set={"a": 1}, unset=["a"]),
            Change(set={"a": 1, "a.b": 2}),
            Change(set={"_id": "b"}),
            Change(increment={"a": True}),
        ],
    )
    async def test_senseless_changes_are_refused(self, store: Documents, change: Change) -> None:
        with pytest.raises(ValueError, match=r"change|paths|_id|numbers"):
            await store.update(CALLS, "a", change)

    @pytest.mark.parametrize(
        "change",
        [Change(set={"text.x": 1}), Change(set={"null.x": 1}), Change(increment={"text": 1})],
    )
    async def test_wrong_types_on_the_way_are_refused(
        self, store: Documents, change: Change
    ) -> None:
        await fill(store, {"_id": "a", "text": "t", "null": None})
        with pytest.raises(ValueError, match="meets"):
            await store.update(CALLS, "a", change)
        assert await store.get(CALLS, "a") == {"_id": "a", "text": "t", "null": None}

    async def test_fifty_writers_never_pass_a_limit(self, store: Documents) -> None:
        await fill(store, {"_id": "quota", "used": 0, "held": {}})

        async def reserve(number: int) -> bool:
            change = Change(increment={"used": 3}, set={f"held.call{number}": 3})
            return await store.update(CALLS, "quota", change, where={"used": Range(at_most=97)})

        taken = await asyncio.gather(*(reserve(number) for number in range(50)))
        found = await store.get(CALLS, "quota")
        assert found is not None
        assert sum(taken) == 33
        assert found["used"] == 99
        assert len(found["held"]) == 33

    async def test_update_many_counts_what_matched(self, store: Documents) -> None:
        await fill(store, *({"_id": str(n), "stage": n % 2, "v": 0} for n in range(10)))
        change = Change(set={"stage": 5}, increment={"v": 1})
        assert await store.update_many(CALLS, {"stage": 1}, change) == 5
        assert await store.update_many(CALLS, {"stage": 1}, change) == 0
        assert await store.groups(CALLS, ["stage"], {"v": 1}) == [((5,), 5)]


class TestDelete:
    async def test_removes_what_matches(self, store: Documents) -> None:
        await fill(store, *({"_id": str(n), "v": n} for n in range(5)))
        assert await store.delete(CALLS, {"v": Range(at_least=3)}) == 2
        assert await ids(store, {}) == ["0", "1", "2"]

    async def test_an_empty_condition_is_refused(self, store: Documents) -> None:
        await fill(store, {"_id": "a"})
        with pytest.raises(ValueError, match="whole collection"):
            await store.delete(CALLS, {})
        assert await ids(store, {}) == ["a"]


class TestStreaming:
    async def test_five_thousand_documents_in_order(self, store: Documents) -> None:
        await fill(store, *({"_id": f"{n:05}", "v": n % 7, "t": "т" * 200} for n in range(5000)))
        expected = [f"{n:05}" for part in range(7) for n in range(part, 5000, 7)]
        assert await ids(store, {}, [("v", 1)]) == expected

    async def test_a_reader_may_write_and_stop_early(self, store: Documents) -> None:
        await fill(store, *({"_id": f"{n:05}"} for n in range(1100)))
        seen = 0
        async with aclosing(store.find(CALLS, {}, sort=[])) as found:
            async for one in found:
                seen += 1
                if seen % 50 == 0:
                    await store.update(CALLS, one["_id"], Change(set={"seen": True}))
                if seen == 600:
                    break
        assert same(await store.groups(CALLS, ["seen"], {}), [((True,), 12), ((None,), 1088)])


async def test_what_is_not_prepared_is_named(documents: Documents) -> None:
    plain, grown = Collection("plain"), Collection("calls", indexes=(*CALLS.indexes, ("late",)))
    assert await documents.unprepared([CALLS]) == ["calls"]

    await documents.prepare([CALLS, plain])

    assert await documents.unprepared([CALLS, plain]) == []
    assert await documents.unprepared([plain, grown]) == ["calls"]
