"""The base of our frozen data."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value. Unknown fields are refused, so a stored document cannot drift unseen."""

    model_config = ConfigDict(frozen=True, extra="forbid")
