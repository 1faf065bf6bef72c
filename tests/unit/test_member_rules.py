"""What roles, names and texts decide alone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medai.errors import InvalidInputError
from medai.members.models import Member, Membership, Role
from medai.members.rules import (
    code_in,
    invitation_link,
    key_holder,
    named_administrator,
    person,
    person_id,
    sees,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def membership(role: Role, administrator: str = "", client_id: str = "first") -> Membership:
    return Membership(
        client_id=client_id, role=role, administrator=administrator, since=NOON, invited_by="cli"
    )


@given(own=st.text(max_size=20), of_call=st.text(max_size=20), role=st.sampled_from(Role))
def test_an_administrator_sees_the_own_calls_and_all_others_every_call(
    own: str, of_call: str, role: Role
) -> None:
    seen = sees(membership(role, own), of_call)
    assert seen == (role is not Role.ADMINISTRATOR or (own != "" and own == of_call))


def test_only_owners_invite() -> None:
    assert [role for role in Role if role.invites] == [Role.OWNER]


@given(telegram_id=st.integers(min_value=1, max_value=2**53), name=st.text(max_size=80))
def test_a_person_is_told_from_a_key_whatever_its_name(telegram_id: int, name: str) -> None:
    assert person_id(person(telegram_id)) == telegram_id
    assert person_id(key_holder(name)) is None
    assert person_id(key_holder(person(telegram_id))) is None


@pytest.mark.parametrize("by", ["cli", "telegram_ids", "telegram:", "telegram:-1", "telegram:²"])
def test_others_are_no_persons(by: str) -> None:
    assert person_id(by) is None


@given(
    code=st.text("0123456789abcdef", min_size=32, max_size=32),
    bot=st.sampled_from(["clinic_bot", "@clinic_bot"]),
)
def test_the_link_holds_its_code(code: str, bot: str) -> None:
    link = invitation_link(bot, code)
    assert link == f"https://t.me/clinic_bot?start={code}"
    assert code_in(f" {link}\n") == code_in(f"{code} ") == code


@pytest.mark.parametrize("name", ["", " ", "@"])
def test_without_a_bot_there_is_no_link(name: str) -> None:
    assert invitation_link(name, "code") is None


def test_an_administrator_is_named_without_spaces_around() -> None:
    assert named_administrator(Role.ADMINISTRATOR, " Мария Петрова ") == "Мария Петрова"
    assert named_administrator(Role.OWNER, " ") == ""
    with pytest.raises(InvalidInputError, match="никому"):
        named_administrator(Role.ADMINISTRATOR, "НЕИЗВЕСТНЫЙ")
    for nobody in ("", "\u200b", " — "):
        with pytest.raises(InvalidInputError, match="так, как он подписан"):
            named_administrator(Role.ADMINISTRATOR, nobody)


def test_a_member_looks_at_a_clinic_of_their_own() -> None:
    mine = (membership(Role.OWNER), membership(Role.MANAGER, client_id="second"))
    member = Member(telegram_id=1, name="", memberships=mine, client_id="second")
    assert member.membership.role is Role.MANAGER
    assert member.of("third") is None
