"""People of the bot on both document stores: let in once, in their clinics only, out at once."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from medai.clinics.models import Clinic
from medai.clinics.repository import CLINICS, ClinicRepository
from medai.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from medai.infra.documents import Documents
from medai.members.invitations import INVITATION_LIFE, Invitations
from medai.members.log import MEMBER_LOG, MemberLog
from medai.members.memberships import Memberships
from medai.members.models import Member, Membership, Notice, QuietHours, Role
from medai.members.records import INVITATIONS, MEMBERS, MEMBERSHIPS
from medai.members.repository import Members
from medai.members.rules import person

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ANNA, BORIS, VERA = 101, 102, 103


@dataclass(slots=True)
class Club:
    """Services over one store; `restarted` is another process on it."""

    documents: Documents
    now: datetime = NOON
    clinics: ClinicRepository = field(init=False)
    log: MemberLog = field(init=False)
    members: Members = field(init=False)
    invitations: Invitations = field(init=False)

    def __post_init__(self) -> None:
        clock = lambda: self.now  # noqa: E731 - a clock is a function
        self.clinics = ClinicRepository(self.documents, clock)
        self.log = MemberLog(self.documents)
        self.members = Members(self.documents, self.clinics, self.log, clock)
        self.invitations = Invitations(self.documents, self.clinics, self.members, self.log, clock)

    def restarted(self) -> "Club":
        return Club(self.documents, self.now)

    async def clinic(self, client_id: str, *telegram_ids: int) -> None:
        assert await self.clinics.insert(
            Clinic(
                id=f"id-{client_id}",
                client_id=client_id,
                name=f"Клиника {client_id}",
                telegram_ids=telegram_ids,
                created_at=NOON,
                updated_at=NOON,
            )
        )

    async def code(self, client_id: str, role: Role = Role.OWNER, **more: str) -> str:
        administrator = more.get("administrator", "")
        made = self.invitations.create(
            client_id, role, administrator=administrator, by=more.get("by", "cli")
        )
        return (await made)[1]

    async def let_in(self, who: int, client_id: str, role: Role = Role.OWNER) -> None:
        name = "Мария Петрова" if role is Role.ADMINISTRATOR else ""
        code = await self.code(client_id, role, administrator=name)
        await self.invitations.accept(code, who, f"Человек {who}")

    async def of(self, client_id: str) -> list[int]:
        return [one.telegram_id async for one in self.members.of_clinic(client_id)]

    async def known(self, telegram_id: int) -> Member:
        found = await self.members.member(telegram_id)
        assert found is not None
        return found

    async def events(self, client_id: str) -> list[tuple[str, str, int | None]]:
        newest = self.log.newest(client_id, 100)
        return [(one.what.value, one.by, one.telegram_id) async for one in newest]


@pytest.fixture
async def club(documents: Documents) -> Club:
    await documents.prepare([CLINICS, MEMBERS, MEMBERSHIPS, INVITATIONS, MEMBER_LOG])
    opened = Club(documents)
    await opened.clinic("first")
    await opened.clinic("second")
    return opened


async def refusal(asked: Awaitable[object]) -> str:
    with pytest.raises(InvalidInputError) as refused:
        await asked
    return refused.value.message


class TestCodes:
    async def test_a_code_lets_one_person_in(self, club: Club) -> None:
        invitation, code = await club.invitations.create("first", Role.MANAGER, by="cli")
        club.now += timedelta(minutes=3)
        joined = await club.invitations.accept(f" {code.upper()}\n", ANNA, "Анна <b>\u202e ")
        assert joined == Membership(
            client_id="first", role=Role.MANAGER, since=club.now, invited_by="cli"
        )
        anna = await club.known(ANNA)
        assert (anna.name, anna.client_id, anna.memberships) == ("Анна <b>", "first", (joined,))
        assert [one async for one in club.invitations.open("first")] == []
        assert await refusal(club.invitations.accept(code, BORIS, "Борис"))
        assert await club.members.member(BORIS) is None
        assert invitation.expires_at == NOON + INVITATION_LIFE

    async def test_a_code_is_strong_fits_a_link_and_is_stored_nowhere(self, club: Club) -> None:
        codes = [await club.code("first") for _ in range(20)]
        assert len(set(codes)) == 20
        for code in codes:
            assert len(code) == 32  # 128 bits
            assert code.isascii()
            assert code.isalnum()
        stored = [one async for one in club.documents.find(INVITATIONS, {}, sort=())]
        noted = [one async for one in club.documents.find(MEMBER_LOG, {}, sort=())]
        assert len(stored) == len(noted) == 20
        assert not any(code in repr((stored, noted)) for code in codes)

    async def test_the_whole_link_is_a_code_too(self, club: Club) -> None:
        code = await club.code("first")
        link = f"https://t.me/clinic_bot?start={code}"
        assert (await club.invitations.accept(link, ANNA, "Анна")).role is Role.OWNER

    async def test_of_many_at_once_exactly_one_gets_in(self, club: Club) -> None:
        people = range(1000, 1020)
        fleet = [club.restarted() for _ in people]
        code = await club.code("first")
        ended = await asyncio.gather(
            *(
                one.invitations.accept(code, who, "Кто-то")
                for one, who in zip(fleet, people, strict=True)
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(one, Membership) for one in ended) == 1
        assert sum(isinstance(one, InvalidInputError) for one in ended) == 19
        assert len(await club.of("first")) == 1
        assert sorted(what for what, _, _ in await club.events("first")) == ["invited", "joined"]

    async def test_a_double_tap_is_one_entrance(self, club: Club) -> None:
        code = await club.code("first")
        taps = [club.restarted().invitations.accept(code, ANNA, "Анна") for _ in range(5)]
        joined = await asyncio.gather(*taps)
        assert len(set(joined)) == 1
        assert sorted(what for what, _, _ in await club.events("first")) == ["invited", "joined"]

    async def test_all_useless_codes_are_refused_in_the_same_words(self, club: Club) -> None:
        used, expired = await club.code("first"), await club.code("first")
        invitation, revoked = await club.invitations.create("first", Role.OWNER, by="cli")
        await club.invitations.accept(used, ANNA, "Анна")
        await club.invitations.revoke(invitation.id, by="cli")
        club.now += INVITATION_LIFE
        codes = (used, expired, revoked, "unknown", "", "\ud800", "я" * 5000)
        words = set()
        for code in codes:
            words.add(await refusal(club.invitations.accept(code, BORIS, "Борис")))
            club.now += timedelta(minutes=1)
        assert len(words) == 1
        assert await club.members.member(BORIS) is None

    async def test_a_code_works_until_the_last_moment(self, club: Club) -> None:
        code = await club.code("first")
        club.now += INVITATION_LIFE - timedelta(milliseconds=1)
        await club.invitations.accept(code, ANNA, "Анна")

    async def test_guesses_are_paced_for_each_person(self, club: Club) -> None:
        code = await club.code("first")
        words = [await refusal(club.invitations.accept(f"{n}", ANNA, "А")) for n in range(8)]
        assert len(set(words[:6])) == 1
        assert words[6] == words[7] != words[0]
        assert await refusal(club.invitations.accept(code, ANNA, "А")) == words[7]
        await club.invitations.accept(code, BORIS, "Борис")
        club.now += timedelta(minutes=1)
        assert await refusal(club.invitations.accept("again", ANNA, "А")) == words[0]

    @pytest.mark.parametrize(
        ("role", "administrator"),
        [
            (Role.ADMINISTRATOR, " "),
            (Role.ADMINISTRATOR, "х" * 121),
            (Role.ADMINISTRATOR, "Неизвестный администратор"),
            (Role.OWNER, "Мария Петрова"),
            (Role.MANAGER, "Мария Петрова"),
        ],
    )
    async def test_only_an_administrator_is_named(
        self, club: Club, role: Role, administrator: str
    ) -> None:
        await refusal(club.invitations.create("first", role, administrator=administrator, by="cli"))
        assert [one async for one in club.invitations.open("first")] == []

    @pytest.mark.parametrize("life", [timedelta(), timedelta(days=-1), timedelta(days=61)])
    async def test_no_code_lives_for_ever(self, club: Club, life: timedelta) -> None:
        await refusal(club.invitations.create("first", Role.OWNER, by="cli", life=life))

    async def test_nobody_is_invited_to_an_unknown_clinic(self, club: Club) -> None:
        with pytest.raises(NotFoundError):
            await club.code("nowhere")

    async def test_a_code_of_a_clinic_that_is_gone_lets_nobody_in(self, club: Club) -> None:
        code = await club.code("first")
        await club.documents.delete(CLINICS, {"client_id": "first"})
        await refusal(club.invitations.accept(code, ANNA, "Анна"))

    async def test_revoking_an_invitation(self, club: Club) -> None:
        invitation, _ = await club.invitations.create("first", Role.OWNER, by="cli")
        used, code = await club.invitations.create("first", Role.OWNER, by="cli")
        await club.invitations.accept(code, ANNA, "Анна")
        for _ in range(2):
            await club.invitations.revoke(invitation.id, by="cli")
        for unknown in (used.id, "nothing"):
            with pytest.raises(NotFoundError):
                await club.invitations.revoke(unknown, by="cli")
        assert (await club.known(ANNA)).membership.role is Role.OWNER


class TestDyingHalfWay:
    async def test_who_took_the_code_gets_in_with_it_after_a_crash(self, club: Club) -> None:
        invitation, code = await club.invitations.create("first", Role.OWNER, by="cli")
        await club.invitations._taken(invitation, ANNA)
        assert await club.members.member(ANNA) is None
        await refusal(club.invitations.accept(code, BORIS, "Борис"))
        await club.restarted().invitations.accept(code, ANNA, "Анна")
        assert await club.of("first") == [ANNA]

    async def test_a_used_code_undoes_neither_a_revocation_nor_a_later_role(
        self, club: Club
    ) -> None:
        await club.let_in(VERA, "first")
        code = await club.code("first")
        await club.invitations.accept(code, ANNA, "Анна")
        await club.let_in(ANNA, "first", Role.ADMINISTRATOR)
        await refusal(club.invitations.accept(code, ANNA, "Анна"))
        assert (await club.known(ANNA)).membership.role is Role.ADMINISTRATOR
        await club.members.revoke("first", ANNA, by="cli")
        await refusal(club.invitations.accept(code, ANNA, "Анна"))
        assert await club.members.member(ANNA) is None


class TestSeveralClinics:
    async def test_a_second_code_adds_a_clinic(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        await club.let_in(ANNA, "second", Role.ADMINISTRATOR)
        anna = await club.known(ANNA)
        assert [one.client_id for one in anna.memberships] == ["first", "second"]
        assert anna.membership.administrator == "Мария Петрова"  # she looks at where she came
        assert (await club.members.look_at(ANNA, "first")).membership.role is Role.OWNER
        assert (await club.restarted().known(ANNA)).client_id == "first"

    async def test_a_foreign_clinic_is_as_unknown_as_none(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        words = []
        for client_id in ("second", "nobody"):
            with pytest.raises(NotFoundError) as refused:
                await club.members.look_at(ANNA, client_id)
            words.append(refused.value.message.replace("second", "nobody"))
        assert words[0] == words[1]
        assert (await club.known(ANNA)).client_id == "first"

    async def test_a_code_for_the_own_clinic_changes_the_role(self, club: Club) -> None:
        await club.let_in(BORIS, "first")
        await club.let_in(ANNA, "first", Role.ADMINISTRATOR)
        await club.let_in(ANNA, "first", Role.MANAGER)
        (membership,) = (await club.known(ANNA)).memberships
        assert (membership.role, membership.administrator) == (Role.MANAGER, "")
        assert ("role_changed", "cli", ANNA) in await club.events("first")

    async def test_the_last_owner_cannot_become_less_by_a_code(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        code = await club.code("first", Role.MANAGER)
        await refusal(club.invitations.accept(code, ANNA, "Анна"))
        assert (await club.known(ANNA)).membership.role is Role.OWNER
        await club.let_in(BORIS, "first")
        await club.invitations.accept(code, ANNA, "Анна")  # the code was not spent
        assert (await club.known(ANNA)).membership.role is Role.MANAGER

    async def test_a_clinic_that_is_gone_does_not_count(self, club: Club) -> None:
        await club.let_in(ANNA, "second")
        await club.let_in(ANNA, "first")
        await club.documents.delete(CLINICS, {"client_id": "first"})
        anna = await club.known(ANNA)
        assert (anna.client_id, len(anna.memberships)) == ("second", 1)
        assert await club.of("first") == []
        await club.documents.delete(CLINICS, {"client_id": "second"})
        assert await club.members.member(ANNA) is None
        assert [one async for one in club.members.all()] == []


class TestRevocation:
    async def test_who_is_out_is_out_at_once_everywhere(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        await club.let_in(BORIS, "first", Role.MANAGER)
        other = club.restarted()
        assert await other.members.member(BORIS) is not None
        await club.members.revoke("first", BORIS, by=person(ANNA))
        assert await other.members.member(BORIS) is None
        assert await other.of("first") == [ANNA]
        assert ("revoked", person(ANNA), BORIS) in await club.events("first")
        with pytest.raises(NotFoundError):
            await club.members.revoke("first", BORIS, by="cli")

    async def test_the_other_clinic_stays(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        await club.let_in(ANNA, "second")
        await club.members.revoke("second", ANNA, by="cli")
        assert [one.client_id for one in (await club.known(ANNA)).memberships] == ["first"]

    async def test_who_was_out_may_be_invited_again(self, club: Club) -> None:
        for _ in range(2):
            await club.let_in(ANNA, "first")
            assert await club.of("first") == [ANNA]
            await club.members.revoke("first", ANNA, by="cli")
            assert await club.of("first") == []

    async def test_invitations_of_who_is_out_are_closed(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        await club.let_in(BORIS, "first")
        of_anna = await club.code("first", by=person(ANNA))
        of_boris = await club.code("first", by=person(BORIS))
        await club.members.revoke("first", ANNA, by=person(BORIS))
        await refusal(club.invitations.accept(of_anna, VERA, "Вера"))
        await club.invitations.accept(of_boris, VERA, "Вера")

    @pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMINISTRATOR])
    async def test_only_owners_invite_and_take_out(self, club: Club, role: Role) -> None:
        await club.let_in(ANNA, "first")
        await club.let_in(BORIS, "first", role)
        await club.let_in(VERA, "second")
        invitation, _ = await club.invitations.create("first", Role.OWNER, by=person(ANNA))
        for stranger in (person(BORIS), person(VERA), person(999)):
            for asked in (
                club.invitations.create("first", Role.OWNER, by=stranger),
                club.invitations.revoke(invitation.id, by=stranger),
                club.members.revoke("first", ANNA, by=stranger),
            ):
                with pytest.raises(ForbiddenError):
                    await asked
        await club.members.revoke("first", BORIS, by=person(BORIS))  # whoever wants may leave
        assert await club.of("first") == [ANNA]

    async def test_the_last_owner_leaves_by_the_command_line_only(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        await club.let_in(BORIS, "first", Role.MANAGER)
        with pytest.raises(ConflictError):
            await club.members.revoke("first", ANNA, by=person(ANNA))
        await club.members.revoke("first", ANNA, by="cli")
        assert await club.of("first") == [BORIS]

    async def test_two_owners_who_take_each_other_out_leave_one_at_least(self, club: Club) -> None:
        for who in (ANNA, BORIS):
            await club.let_in(who, "first")
        both_checked = asyncio.Barrier(2)

        class Slow(Memberships):
            async def revoke(self, client_id: str, telegram_id: int, *, by: str) -> bool:
                async with both_checked:
                    return await super().revoke(client_id, telegram_id, by=by)

        async def take_out(whom: int, by: int) -> None:
            members = club.restarted().members
            members.memberships = Slow(club.documents, club.clinics, lambda: club.now)
            await members.revoke("first", whom, by=person(by))

        ended = await asyncio.gather(
            take_out(ANNA, by=BORIS), take_out(BORIS, by=ANNA), return_exceptions=True
        )
        assert await club.of("first")
        assert any(isinstance(one, ConflictError) for one in ended)


class TestOldOwners:
    async def test_they_are_owners_before_they_ever_write(self, club: Club) -> None:
        await club.clinic("old", ANNA, BORIS, -1001, 0)
        assert sorted(await club.of("old")) == [ANNA, BORIS]
        assert len([one async for one in club.restarted().members.all()]) == 2
        for who in (ANNA, BORIS):
            membership = (await club.restarted().known(who)).membership
            assert (membership.role, membership.invited_by) == (Role.OWNER, "telegram_ids")
        assert [what for what, _, _ in await club.events("old")] == ["adopted"] * 2

    async def test_they_are_known_when_they_write_first(self, club: Club) -> None:
        await club.clinic("old", ANNA)
        assert (await club.known(ANNA)).of("old")
        assert await club.members.member(BORIS) is None

    async def test_one_who_is_out_stays_out(self, club: Club) -> None:
        await club.clinic("old", ANNA, BORIS)
        await club.members.revoke("old", ANNA, by="cli")
        for one in (club, club.restarted()):
            assert await one.members.member(ANNA) is None
            assert await one.of("old") == [BORIS]

    async def test_a_later_role_is_not_overwritten(self, club: Club) -> None:
        await club.clinic("old", ANNA, BORIS)
        await club.let_in(ANNA, "old", Role.ADMINISTRATOR)
        assert (await club.restarted().known(ANNA)).membership.role is Role.ADMINISTRATOR

    async def test_many_processes_adopt_once(self, club: Club) -> None:
        await club.clinic("old", *range(1, 30))
        await asyncio.gather(*(club.restarted().members.member(5) for _ in range(10)))
        assert len(await club.events("old")) == 29


class TestChoices:
    async def test_what_a_person_chose_stays(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        before = await club.known(ANNA)
        assert (before.switched_off, before.quiet.first_hour) == (frozenset(), 22)
        await club.members.switch(ANNA, Notice.WEEKLY, on=False)
        await club.members.switch(ANNA, Notice.MORNING, on=False)
        await club.members.switch(ANNA, Notice.WEEKLY, on=True)
        quiet = QuietHours(first_hour=0, last_hour=0)
        assert await club.members.set_quiet(ANNA, quiet) == await club.known(ANNA)
        await club.members.named(ANNA, "Анна\nИванова " + "я" * 300)
        anna = await club.restarted().known(ANNA)
        assert anna.switched_off == {Notice.MORNING}
        assert anna.quiet == quiet
        assert anna.name.startswith("Анна Иванова ")
        assert len(anna.name) == 80

    async def test_switches_at_once_lose_none(self, club: Club) -> None:
        await club.clinic("old", ANNA)  # nothing is stored of her yet
        await asyncio.gather(
            *(club.restarted().members.switch(ANNA, one, on=False) for one in Notice)
        )
        assert (await club.known(ANNA)).switched_off == set(Notice)

    async def test_a_block_is_remembered_since_the_first_time(self, club: Club) -> None:
        await club.let_in(ANNA, "first")
        await club.members.blocked(ANNA)
        club.now += timedelta(hours=1)
        await club.members.blocked(ANNA)
        assert (await club.known(ANNA)).blocked_at == NOON
        await club.members.unblocked(ANNA)
        assert (await club.known(ANNA)).blocked_at is None
        await club.members.blocked(ANNA)
        await club.let_in(ANNA, "second")  # who comes with a code can be written to
        assert (await club.known(ANNA)).blocked_at is None

    async def test_a_stranger_leaves_no_trace(self, club: Club) -> None:
        await club.members.blocked(ANNA)
        await club.members.unblocked(ANNA)
        for asked in (
            club.members.switch(ANNA, Notice.MORNING, on=False),
            club.members.set_quiet(ANNA, QuietHours(first_hour=1, last_hour=2)),
            club.members.named(ANNA, "Анна"),
            club.members.look_at(ANNA, "first"),
            club.members.revoke("first", ANNA, by="cli"),
        ):
            with pytest.raises(NotFoundError):
                await asked
        for collection in (MEMBERS, MEMBERSHIPS, MEMBER_LOG):
            assert [one async for one in club.documents.find(collection, {}, sort=())] == []
