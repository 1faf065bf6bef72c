"""Signed links open exactly what was signed; encrypted texts open with their secret only."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medai.errors import AccessDeniedError, SettingsError, StoreError
from medai.infra.crypto import LinkSigner, TextCipher

SECRET = "s" * 32
SIGNER = LinkSigner(SECRET)
CIPHER = TextCipher(SECRET)
paths = st.text(min_size=1).map(lambda text: f"/api/{text}")
moments = st.integers(10**15, 4 * 10**15).map(
    lambda microseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
)


def signed(path: str, expires_at: datetime) -> tuple[str, str]:
    query = parse_qs(SIGNER.sign(path, expires_at=expires_at))
    return query["expires"][0], query["signature"][0]


@given(paths, moments, st.integers(1, 10**7))
def test_a_link_opens_until_it_expires(path: str, now: datetime, seconds: int) -> None:
    expires, signature = signed(path, now + timedelta(seconds=seconds + 1))
    SIGNER.verify(path, expires, signature, now=now)
    with pytest.raises(AccessDeniedError, match="Срок"):
        SIGNER.verify(path, expires, signature, now=now + timedelta(seconds=seconds + 1))


@given(paths, paths, moments)
def test_a_link_opens_no_other_path(path: str, other: str, now: datetime) -> None:
    assume(path != other)
    expires, signature = signed(path, now + timedelta(hours=1))
    with pytest.raises(AccessDeniedError, match="недействительна"):
        SIGNER.verify(other, expires, signature, now=now)


@given(paths, st.text() | st.integers(0, 10**12).map(str), moments)
def test_a_link_cannot_be_prolonged(path: str, expires: str, now: datetime) -> None:
    true, signature = signed(path, now + timedelta(hours=1))
    assume(expires != true)
    with pytest.raises(AccessDeniedError):
        SIGNER.verify(path, expires, signature, now=now)


@given(paths, st.text() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True), moments)
def test_a_signature_cannot_be_guessed(path: str, signature: str, now: datetime) -> None:
    expires, true = signed(path, now + timedelta(hours=1))
    assume(signature != true)
    with pytest.raises(AccessDeniedError):
        SIGNER.verify(path, expires, signature, now=now)


@given(st.text(), st.text())
def test_no_path_and_moment_share_a_signature(path: str, tail: str) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    expires, signature = signed(f"{tail}\n{path}", now)
    with pytest.raises(AccessDeniedError):
        SIGNER.verify(path, f"{expires}\n{tail}", signature, now=now - timedelta(days=1))


def test_another_secret_opens_nothing() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    expires, signature = signed("/a", now + timedelta(days=1))
    with pytest.raises(AccessDeniedError):
        LinkSigner("t" * 32).verify("/a", expires, signature, now=now)


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="naive"):
        SIGNER.sign("/a", expires_at=datetime(2026, 3, 2))  # noqa: DTZ001


@given(st.text())
def test_a_text_comes_back_and_is_hidden(text: str) -> None:
    stored = CIPHER.encrypt(text)
    assert CIPHER.decrypt(stored) == text
    assert CIPHER.is_encrypted(stored)
    assert CIPHER.encrypt(text) != stored
    assert len(text) < 8 or text not in stored


@given(st.text(min_size=1), st.data())
def test_a_changed_text_is_refused(text: str, data: st.DataObject) -> None:
    stored = CIPHER.encrypt(text)
    place = data.draw(st.integers(0, len(stored) - 5))
    assume(stored[place] != "X")
    with pytest.raises(StoreError, match="MEDAI_SECRET"):
        CIPHER.decrypt(f"{stored[:place]}X{stored[place + 1 :]}")


@given(st.text() | st.text().map(lambda text: f"medai1:{text}"))
def test_foreign_text_is_refused(text: str) -> None:
    with pytest.raises(StoreError):
        CIPHER.decrypt(text)


def test_another_secret_decrypts_nothing() -> None:
    with pytest.raises(StoreError):
        TextCipher("t" * 32).decrypt(CIPHER.encrypt("token"))


@pytest.mark.parametrize("kind", [TextCipher, LinkSigner])
def test_a_short_secret_is_refused(kind: type[TextCipher] | type[LinkSigner]) -> None:
    with pytest.raises(SettingsError, match="32"):
        kind("s" * 31)
