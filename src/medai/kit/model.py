"""The base of our frozen data."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value. Unknown fields are refused, so a stored document cannot drift unseen.

    A value that is refused stays out of the error's text: it may be a phone or a transcript.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
