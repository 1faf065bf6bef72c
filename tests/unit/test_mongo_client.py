"""MONGODB_URI that is wrong: told in our words, without a part of the password."""

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from pymongo.errors import OperationFailure

from medai.errors import SettingsError
from medai.infra import mongo_copy
from medai.infra.mongo import MongoDocuments
from medai.infra.mongo_client import refusal
from medai.infra.mongo_dump import MongoDump

READERS: dict[str, Callable[[str], object]] = {
    "documents": lambda uri: MongoDocuments(uri, "medai"),
    "dump": lambda uri: MongoDump(uri, "medai"),
    "copy": lambda uri: mongo_copy.dump(uri, "medai", Path("never-made")),
}


@pytest.mark.parametrize("password", ["p@ss:hidden/word%", "a#b?hidden", "hidden%zz"])
@pytest.mark.parametrize("reader", sorted(READERS))
def test_a_password_with_signs_of_an_address_is_told_by_its_variable_and_not_repeated(
    reader: str, password: str
) -> None:
    uri = f"mongodb://medai:{password}@mongodb:27017/?authSource=admin"
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(SettingsError) as refused:
            READERS[reader](uri)
    assert "MONGO_ROOT_PASSWORD" in refused.value.message
    assert "hidden" not in refused.value.message
    assert not [one for one in told if "hidden" in str(one.message)], "the driver warns aloud"


@pytest.mark.parametrize(("code", "is_password"), [(18, True), (13, False), (None, False)])
def test_a_refused_password_is_no_server_that_is_away(code: int | None, is_password: bool) -> None:
    message = refusal(OperationFailure("Authentication failed.", code)).message
    assert ("пользователя или пароль" in message) == is_password
