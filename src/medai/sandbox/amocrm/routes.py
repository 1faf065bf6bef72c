"""The door of the simulator: ban, limits, faults and tokens before any handler."""

import uuid
from collections.abc import Callable

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from medai.kit.clock import Clock, utc_now
from medai.sandbox.amocrm import answers, dispatch, oauth
from medai.sandbox.amocrm.account import Account, AmoCrm
from medai.sandbox.amocrm.answers import ProblemError
from medai.sandbox.amocrm.context import Context
from medai.sandbox.amocrm.limiter import Verdict
from medai.sandbox.amocrm.options import Options
from medai.sandbox.amocrm.query import Query
from medai.sandbox.connection import after_work, before_work
from medai.sandbox.faults import Fault, Faults
from medai.sandbox.ledger import Ledger
from medai.sandbox.world.models import World

_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]
_API = "/api/v4"
_TOKEN = "/oauth2/access_token"  # noqa: S105 - a path
_OWN_FAULTS: dict[str, Callable[[Account, Fault], Response]] = {
    "rate_limit_json": lambda account, fault: answers.too_many_json(
        fault.seconds or account.options.retry_after
    ),
    "server_error": lambda _, fault: answers.server_error(fault.status or 500),
    "payment_required": lambda *_: answers.payment_required(),
    "bad_key": lambda *_: answers.unauthorized(),
}


def build_router(
    world: World,
    faults: Faults,
    ledger: Ledger,
    *,
    clock: Clock = utc_now,
    options: Options | None = None,
    crm: AmoCrm | None = None,
) -> APIRouter:
    """Routes /{subdomain}/oauth2/access_token and /{subdomain}/api/v4/...

    `crm` gives tests a hold on the accounts; without it one is made of `world`, `clock`, `options`.
    """
    door = _Door(crm or AmoCrm(world, clock=clock, options=options), faults, ledger)
    router = APIRouter()
    router.add_route("/{subdomain}/{path:path}", door.answer, methods=_METHODS)
    return router


class _Door:
    """Answers every request of every account."""

    def __init__(self, crm: AmoCrm, faults: Faults, ledger: Ledger) -> None:
        self._crm = crm
        self._faults = faults
        self._ledger = ledger

    async def answer(self, request: Request) -> Response:
        """The response with the id that the platform's support asks for."""
        account = self._crm.accounts.get(request.path_params["subdomain"])
        path = "/" + request.path_params["path"]
        if account is None:
            response = _unknown_account(path)
        else:
            response = await self._admitted(account, path, request)
        response.headers.setdefault("X-Request-Id", uuid.uuid4().hex)
        return response

    async def _admitted(self, account: Account, path: str, request: Request) -> Response:
        subdomain = account.clinic.subdomain
        self._ledger.crm_request(subdomain, request.method, _template(path))
        body = await request.body()
        refused = _refusal(account, _integration(account, path, request))
        if refused is not None:
            return refused
        fault = self._faults.take("amocrm", f"{request.method} {request.url.path}")
        spoiled = await before_work(fault) or _own_fault(account, fault, path)
        if spoiled is not None:
            return spoiled
        return after_work(fault, self._work(account, path, request, body))

    def _work(self, account: Account, path: str, request: Request, body: bytes) -> Response:
        try:
            if path == _TOKEN:
                return _token(account, request, body)
            return self._handled(account, path, request, body)
        except ProblemError as problem:
            return problem.response()

    def _handled(self, account: Account, path: str, request: Request, body: bytes) -> Response:
        access = account.tokens.check(_bearer(request))
        if access is None:
            return answers.unauthorized()
        match = dispatch.find(path.removeprefix(_API)) if path.startswith(_API) else None
        if match is None:
            raise ProblemError(404, f"Cannot {request.method} {path}")
        context = Context(
            account=account, access=access, base=_base(request, path) + _API,
            path=path.removeprefix(_API), params=match.params, query=Query(request.url.query),
            body=body, recordings=_recordings(account, request), written=[],
        )  # fmt: skip
        response = match.handler(request.method)(context)
        for collection, entity_id, note_id in context.written:
            self._ledger.note_written(account.clinic.subdomain, collection, entity_id, note_id)
        return response


def _refusal(account: Account, integration: str) -> Response | None:
    verdict = account.limiter.judge(integration)
    if verdict is Verdict.ADMITTED:
        return None
    if verdict is Verdict.BANNED:
        return answers.blocked()
    if account.options.too_many == "html":
        return answers.too_many_html()
    return answers.too_many_json(account.options.retry_after)


def _own_fault(account: Account, fault: Fault | None, path: str) -> Response | None:
    if fault is None:
        return None
    if fault.kind == "revoked_token":
        is_token = path == _TOKEN
        return oauth.refusal(401, "Token has been revoked") if is_token else answers.unauthorized()
    make = _OWN_FAULTS.get(fault.kind)
    return make(account, fault) if make else None


def _token(account: Account, request: Request, body: bytes) -> Response:
    if request.method != "POST":
        raise ProblemError(405, f"Method {request.method} is not allowed")
    return oauth.access_token(account, body)


def _unknown_account(path: str) -> Response:
    if path == _TOKEN:
        return oauth.refusal(400, "Invalid account")
    return ProblemError(401, "Account not found", code=101).response()


def _integration(account: Account, path: str, request: Request) -> str:
    """Requests of one integration share a limit, its tokens being as many as they may."""
    token = _bearer(request)
    known = path == _TOKEN or account.tokens.check(token) is not None
    return account.clinic.client_id if known else token


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _template(path: str) -> str:
    match = dispatch.find(path.removeprefix(_API)) if path.startswith(_API) else None
    return _API + match.template if match else path


def _base(request: Request, path: str) -> str:
    whole = request.url.path
    return f"{request.url.scheme}://{request.url.netloc}{whole.removesuffix(path)}"


def _recordings(account: Account, request: Request) -> str:
    own = account.options.recordings_url
    return own or f"{request.url.scheme}://{request.url.netloc}/recordings"
