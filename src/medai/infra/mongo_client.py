"""What every reader of MONGODB_URI does alike: its errors in our words, never with the password."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import ConfigurationError, InvalidURI, OperationFailure, PyMongoError

from medai.errors import SettingsError, StoreError

_AUTHENTICATION_FAILED = 18


@contextmanager
def address_errors() -> Iterator[None]:
    """Around the making of a client. Raises SettingsError for an address that cannot be read.

    A password with signs of an address breaks it into parts, and the driver repeats those parts in
    its errors and its warnings: neither gets out.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            yield
    except (InvalidURI, ConfigurationError, ValueError):
        raise SettingsError(
            "Адрес MongoDB не читается: проверьте MONGODB_URI"
            " (mongodb://пользователь:пароль@сервер:27017), в docker compose — MONGO_ROOT_PASSWORD:"
            " только буквы и цифры"
        ) from None


def refusal(error: PyMongoError) -> StoreError:
    """The driver's error in our words."""
    if isinstance(error, OperationFailure) and error.code == _AUTHENTICATION_FAILED:
        return StoreError(
            "MongoDB не принимает пользователя или пароль: проверьте MONGODB_URI,"
            " в docker compose — MONGO_ROOT_PASSWORD"
        )
    return StoreError("MongoDB недоступна или отказала: проверьте сервер и MONGODB_URI")
