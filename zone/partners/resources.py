"""An address of the API, and the one order in which every call is checked.

Unknown path, form of the answer, caller, scope, limits, method, size, type, syntax, shape; then
the verb itself. The order is the contract's: a caller never learns about an object before it has
shown that it may ask.
"""

import re
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer, ValidationError
from rest_framework.views import APIView

from zone.core.errors import ZoneError
from zone.partners import limiter
from zone.partners.declarations import (
    IDEMPOTENCY_KEY_PATTERN,
    READ_METHODS,
    Answer,
    Call,
    Operation,
)
from zone.partners.errors import (
    IdempotencyKeyInvalid,
    IdempotencyKeyRequired,
    InvalidCursor,
    InvalidLimit,
    InvalidParameter,
    UnknownParameter,
    UnknownVersion,
)
from zone.partners.parsing import read_bytes, read_json
from zone.partners.problems import (
    PROBLEM_TYPE,
    list_errors,
    problem_body,
    render_json,
)
from zone.partners.services.idempotency import Attempt, StoredAnswer, fingerprint, run_once
from zone.partners.versions import CURRENT_VERSION, KNOWN_VERSIONS


class Resource(APIView):
    """One address: its verbs by method. Made by `resource`, never by hand."""

    operations: ClassVar[dict[str, Operation]] = {}
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    windows: list[limiter.Window]
    format_kwarg = None

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Who asks, and may they: the checks before the method's own."""
        self.windows = []
        negotiated = self.perform_content_negotiation(request)
        request.accepted_renderer, request.accepted_media_type = negotiated
        self.perform_authentication(request)
        self.count(request)
        self.check_permissions(request)
        limiter.refuse_over_limit(self.windows)

    def count(self, request: Request) -> None:
        """Count the call under its policies. A refused scope counts too."""
        if request.auth is None:
            return
        policies = [limiter.DEFAULT]
        verb = self.operations.get((request.method or "").lower())
        if verb and request.method not in READ_METHODS:
            policies.append(limiter.WRITES)
        if verb:
            policies.extend(verb.policies)
        key_id = request.auth.key.public_id
        self.windows = limiter.count_call(policies, key_id)
        for policy in set(verb.counted_refusals.values()) if verb else ():
            self.windows.append(limiter.count_in_database(policy, key_id, cost=0))

    def answer(self, request: Request, **path: str) -> HttpResponse:
        """Read the request, run its verb, and write down what it said."""
        method = (request.method or "").lower()
        verb = self.operations["get" if method == "head" else method]
        http = request._request
        raw_body = read_body(http)
        version = chosen_version(http)
        query = read_query(verb, http)
        key = read_idempotency_key(http) if verb.is_idempotent_by_key else ""
        call = Call(
            partner=request.user,
            livemode=request.auth.key.livemode if request.auth else False,
            token=request.auth,
            body=validated(verb.body, raw_body) if http.method not in READ_METHODS else {},
            query=query,
            path=http.path,
            version=version,
        )
        if verb.is_idempotent_by_key:
            return self.answer_once(verb, call, http, key, raw_body, path)
        try:
            answer = verb.run(call, **path)
        except ZoneError as refusal:
            count_refusal(verb, call, refusal)
            raise
        return as_response(render(answer), answer.headers)

    def answer_once(
        self,
        verb: Operation,
        call: Call,
        http: HttpRequest,
        key: str,
        raw_body: Any,
        path: dict[str, str],
    ) -> HttpResponse:
        attempt = Attempt(
            partner=call.partner,
            livemode=call.livemode,
            key=key,
            fingerprint=fingerprint(
                method=http.method or "",
                path=http.path,
                query=[(name, v) for name, values in http.GET.lists() for v in values],
                body=raw_body,
            ),
            carries_secret=verb.carries_secret,
        )

        def refuse(refusal: ZoneError) -> StoredAnswer:
            count_refusal(verb, call, refusal)
            return render_refusal(refusal)

        stored = run_once(attempt, lambda: render(verb.run(call, **path)), refuse)
        return as_response(stored, {"Idempotent-Replayed": "true"} if stored.is_replayed else {})

    def finalize_response(
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in limiter.limit_headers(getattr(self, "windows", [])).items():
            response[name] = value
        return response


class OpenResource(Resource):
    """An address that asks nobody who they are."""

    authentication_classes = ()
    permission_classes = ()


def resource(base: type[Resource] = Resource, **verbs: Operation) -> Callable[..., HttpResponse]:
    """The view of one address, from its verbs: `resource(get=list_claims, post=grant_claim)`."""
    name = "".join(part.title() for verb in verbs.values() for part in verb.name.split("_"))
    members: dict[str, Any] = dict.fromkeys(verbs, base.answer)
    view = type(f"{name}Resource", (base,), {"operations": verbs, **members}).as_view()
    view.is_open_to_all = True  # Members' cookies mean nothing here: the token decides.
    return view


def read_body(http: HttpRequest) -> Any:
    """The JSON value that was sent; an empty object for a verb called without a body."""
    if http.method in READ_METHODS or not read_bytes(http):
        return {}
    return read_json(http)


def chosen_version(http: HttpRequest) -> str:
    """The dated version of this call: the header's, else the key's. Raises UnknownVersion."""
    token = getattr(http, "partner_token", None)
    pinned = token.key.zone_version if token else CURRENT_VERSION
    wanted = http.headers.get("Zone-Version", pinned)
    if wanted not in KNOWN_VERSIONS:
        raise UnknownVersion
    http.zone_version = wanted
    return wanted


def read_idempotency_key(http: HttpRequest) -> str:
    """Raises IdempotencyKeyRequired, IdempotencyKeyInvalid."""
    key = http.headers.get("Idempotency-Key")
    if key is None:
        raise IdempotencyKeyRequired
    if not re.fullmatch(IDEMPOTENCY_KEY_PATTERN, key):
        raise IdempotencyKeyInvalid
    return key


def read_query(verb: Operation, http: HttpRequest) -> dict[str, Any]:
    """The checked query parameters.

    Raises UnknownParameter, InvalidLimit, InvalidCursor, InvalidParameter.
    """
    known = set(verb.query().fields)
    for name, values in http.GET.lists():
        if name not in known:
            raise UnknownParameter
        if len(values) != 1:
            raise InvalidParameter(errors=[_query_error(name, "repeated")])
    reader = verb.query(data={name: http.GET[name] for name in http.GET})
    if not reader.is_valid():
        names = set(reader.errors)
        if "limit" in names:
            raise InvalidLimit
        if "cursor" in names:
            raise InvalidCursor
        rows = [
            {"parameter": row.pop("pointer").lstrip("/"), **row}
            for row in list_errors(reader.errors)
        ]
        raise InvalidParameter(errors=rows)
    return dict(reader.validated_data)


def _query_error(name: str, code: str) -> dict[str, str]:
    return {"parameter": name, "code": code, "detail": "Send this parameter once."}


def validated(shape: type[BaseSerializer], raw_body: Any) -> dict[str, Any]:
    """The body's members as plain values. Raises DRF's ValidationError, answered as 422."""
    reader = shape(data=raw_body)
    if not reader.is_valid():
        raise ValidationError(reader.errors)
    return dict(reader.validated_data)


def render(answer: Answer) -> StoredAnswer:
    body = b"" if answer.status == 204 else render_json(answer.data)
    return StoredAnswer(answer.status, "application/json", body)


def count_refusal(verb: Operation, call: Call, refusal: ZoneError) -> None:
    """Count a refusal that has a pace of its own, so that guessing runs dry."""
    if policy := verb.counted_refusals.get(refusal.code):
        limiter.count_in_database(policy, call.token.key.public_id)


def render_refusal(refusal: Any) -> StoredAnswer:
    return StoredAnswer(refusal.http_status, PROBLEM_TYPE, render_json(problem_body(refusal)))


def as_response(stored: StoredAnswer, headers: dict[str, str]) -> HttpResponse:
    response = HttpResponse(stored.body, status=stored.status, content_type=stored.content_type)
    if not stored.body:
        del response["Content-Type"]  # RFC 9110 section 8.3: there is nothing it could describe.
    for name, value in headers.items():
        response[name] = value
    return response
