"""Old administrators, work schedules and CRM tokens (contract 2.2) as ours. Pure."""

from datetime import timedelta

from medai.integrations.amocrm.models.lenient import moment as jwt_moment
from medai.integrations.amocrm.token_pair import jwt_claims
from medai.migration.clinics import sealed
from medai.migration.models import Context, Converted, Raw, Refused, id_of, left_over
from medai.migration.values import day, first, moment, text, whole
from medai.staff.models import Administrator, Shift

TOKEN_SECRETS = ("access_token", "refresh_token")
_TOKEN_LIFE = timedelta(days=1)
"""What amoCRM gives (amocrm.md 13.2), for tokens that do not tell their end."""
_ADMINISTRATOR = frozenset({"clinic_id", "name", "amocrm_user_id", "email", "created_at"})
_SHIFT = frozenset({"clinic_id", "date", "first_name", "last_name", "created_at", "updated_at"})


def administrator(raw: Raw, context: Context) -> Converted | Refused:
    """An administrator; `clinic_id` names the clinic by its own id."""
    clinic_id, name = text(raw.get("clinic_id")), text(raw.get("name"))
    if clinic_id not in context.places:
        return Refused("administrator_of_unknown_clinic")
    user_id = whole(raw.get("amocrm_user_id"))
    made = Administrator(
        id=id_of(raw),
        client_id=context.place(clinic_id).client_id,
        name=name,
        amocrm_user_id=user_id,
        email=text(raw.get("email")),
        created_at=first(moment(raw.get("created_at")), context.now),
    )
    fields = made.model_dump()
    used = _ADMINISTRATOR if user_id is not None else _ADMINISTRATOR - {"amocrm_user_id"}
    document = {"_id": fields.pop("id"), **fields, "legacy": left_over(raw, used)}
    return Converted(document, administrator_key(raw, context), (bool(name), bool(made.email)))


def administrator_key(raw: Raw, context: Context) -> tuple[str, ...]:
    """Clinic and CRM user. Nobody's user id is no key: such people are told apart by document."""
    user_id = whole(raw.get("amocrm_user_id"))
    own = str(user_id) if user_id is not None else f"-{id_of(raw)}"
    return context.place(text(raw.get("clinic_id"))).client_id, own


def shift(raw: Raw, context: Context) -> Converted | Refused:
    """One person on one day; `clinic_id` is the client_id."""
    clinic_id = text(raw.get("clinic_id"))
    place = context.place(clinic_id)
    on = day(raw.get("date"), place.tz)
    if on is None or not clinic_id:
        return Refused("shift_without_day_or_clinic")
    made = Shift(
        id=id_of(raw),
        client_id=place.client_id,
        day=on,
        first_name=text(raw.get("first_name")),
        last_name=text(raw.get("last_name")),
        created_at=first(moment(raw.get("created_at")), context.now),
        updated_at=moment(raw.get("updated_at")),
    )
    fields = {**made.model_dump(), "day": on.isoformat()}
    document = {"_id": fields.pop("id"), **fields, "legacy": left_over(raw, _SHIFT)}
    return Converted(document, shift_key(raw, context), (-made.created_at.timestamp(),))


def shift_key(raw: Raw, context: Context) -> tuple[str, ...]:
    """Clinic, day and person."""
    place = context.place(text(raw.get("clinic_id")))
    names = (text(raw.get("first_name")), text(raw.get("last_name")))
    return place.client_id, str(day(raw.get("date"), place.tz)), *names


def token(raw: Raw, context: Context) -> Converted | Refused:
    """The token pair of a clinic, encrypted; its end is the JWT's `exp` (contract 2.2)."""
    client_id, access = text(raw.get("client_id")), text(raw.get("access_token"))
    if not client_id or not access:
        return Refused("token_without_clinic_or_text")
    claims = jwt_claims(access)
    updated = first(moment(raw.get("updated_at")), moment(raw.get("created_at")))
    ends = jwt_moment(claims.get("exp"))
    document = {
        "_id": client_id,
        "client_id": client_id,
        "access_token": sealed(access, context),
        "refresh_token": sealed(raw.get("refresh_token"), context) or None,
        # A pair whose end nobody knows is renewed at the first use.
        "expires_at": first(ends, updated and updated + _TOKEN_LIFE, context.now),
        "issued_at": jwt_moment(claims.get("iat")),
        "updated_at": first(updated, context.now),
    }
    rank = (updated.timestamp() if updated else 0.0,)
    return Converted(document, (client_id,), rank, {}, () if ends else ("token_without_end",))
