"""The OpenAPI 3.1 description, read from the declared operations and from nothing else."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from zone.partners.catalogue import PROBLEMS
from zone.partners.declarations import (
    IDEMPOTENCY_KEY_PATTERN,
    READ_METHODS,
    EmptyBody,
    EmptyQuery,
    Operation,
)
from zone.partners.objects import Problem
from zone.partners.versions import KNOWN_VERSIONS

# What any call may meet before its verb runs, and when the server is in trouble.
_ALWAYS = ("not_found", "method_not_allowed", "not_acceptable", "internal", "unavailable")
_OF_QUERIES = ("unknown_parameter", "invalid_parameter", "unknown_version")
_OF_LISTS = ("invalid_limit", "invalid_cursor")
_OF_CALLERS = (
    "token_missing",
    "token_invalid",
    "token_expired",
    "insufficient_scope",
    "source_not_allowed",
    "partner_suspended",
    "rate_limited",
)
_OF_WRITES = (
    "malformed_json",
    "invalid_header",
    "body_too_large",
    "unsupported_media_type",
    "validation_failed",
    "read_only",
)
_OF_KEYS = (
    "idempotency_key_required",
    "idempotency_key_invalid",
    "idempotency_key_reused",
    "idempotency_in_progress",
)
_ID_PREFIX = {
    "redemption": "rdm",
    "member": "mbr",
    "benefit": "ben",
    "claim": "clm",
    "entry": "cen",
    "event": "evt",
    "stock_hold": "shd",
    "transaction": "txn",
    "subscription": "sub",
    "webhook_endpoint": "whe",
    "webhook_delivery": "whd",
}


def refusal_codes(verb: Operation, method: str) -> list[str]:
    """Every code that `verb` may answer with."""
    codes = [*_ALWAYS, *_OF_QUERIES]
    if verb.scope is not None:
        codes += _OF_CALLERS
    if "cursor" in verb.query().fields:
        codes += _OF_LISTS
    if method not in READ_METHODS:
        codes += _OF_WRITES
    if verb.is_idempotent_by_key:
        codes += _OF_KEYS
    return [*codes, *verb.refusals]


class ZoneAutoSchema(AutoSchema):
    """One operation of the description. The registry and the field mapping are drf-spectacular's."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: Any
    ) -> dict[str, Any] | None:
        self.registry, self.path, self.path_regex = registry, path, path_regex
        self.path_prefix, self.method = path_prefix, method.upper()
        verb = getattr(self.view, "operations", {}).get(method.lower())
        if verb is None:
            return None
        described: dict[str, Any] = {
            "operationId": verb.name,
            "summary": verb.summary,
            "tags": [verb.tag],
            "parameters": [
                *self._path_parameters(path),
                *self._query_parameters(verb),
                *self._headers(verb),
            ],
            "security": self._security(verb),
            "responses": self._answers(verb) | self._problems(verb),
        }
        if verb.description:
            described["description"] = verb.description
        if verb.body is not EmptyBody:
            described["requestBody"] = {
                "required": True,
                "content": {verb.media_type: {"schema": self._reference(verb.body, "request")}},
            }
        return described

    def _security(self, verb: Operation) -> list[dict[str, list[str]]]:
        if verb.scope is not None:
            return [{"token": [verb.scope]}]
        return [{"key": []}] if verb.tag == "tokens" else []

    def _reference(self, shape: type[serializers.BaseSerializer], direction: str) -> dict[str, Any]:
        reference: dict[str, Any] = self.resolve_serializer(shape, direction).ref
        return reference

    def _path_parameters(self, path: str) -> list[dict[str, Any]]:
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        return [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {
                    "type": "string",
                    "pattern": f"^{_ID_PREFIX[name.removesuffix('_id')]}_[0-9A-HJKMNP-TV-Z]{{26}}$",
                },
            }
            for name in names
        ]

    def _query_parameters(self, verb: Operation) -> list[dict[str, Any]]:
        if verb.query is EmptyQuery:
            return []
        fields = verb.query().fields
        described = self._map_serializer(verb.query, "request")["properties"]
        parameters = []
        for name, schema in described.items():
            text = schema.pop("description", "")
            parameter = {
                "name": name,
                "in": "query",
                "required": fields[name].required,
                "schema": schema,
            }
            parameters.append(parameter | ({"description": text} if text else {}))
        return parameters

    def _headers(self, verb: Operation) -> list[dict[str, Any]]:
        headers = [
            {
                "name": "Zone-Version",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "enum": list(KNOWN_VERSIONS)},
                "description": "The dated version of the answer's shape; the key's when absent.",
            }
        ]
        if verb.tag == "tokens":
            return []
        if verb.is_idempotent_by_key:
            headers.append(
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": True,
                    "schema": {"type": "string", "pattern": IDEMPOTENCY_KEY_PATTERN},
                    "description": "One key is one attempt. A UUIDv7, saved before the first send.",
                }
            )
        return headers

    def _answers(self, verb: Operation) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for status, shape in verb.answers.items():
            answer: dict[str, Any] = {"description": _MEANING.get(status, "Done.")}
            if shape is not None:
                content = {"schema": self._reference(shape, "response")}
                answer["content"] = {"application/json": content}
            if verb.is_idempotent_by_key:
                answer["headers"] = {
                    "Idempotent-Replayed": {
                        "description": "`true` when this is the stored answer of the first send.",
                        "schema": {"type": "string", "enum": ["true"]},
                    }
                }
            answers[str(status)] = answer
        return answers

    def _problems(self, verb: Operation) -> dict[str, Any]:
        by_status: dict[int, list[str]] = {}
        for code in refusal_codes(verb, self.method):
            by_status.setdefault(PROBLEMS[code].status, []).append(code)
        problems: dict[str, Any] = {}
        for status, codes in sorted(by_status.items()):
            content: dict[str, Any] = {
                "application/problem+json": {"schema": self._reference(Problem, "response")}
            }
            if verb.tag == "tokens" and status in {400, 401}:
                continue
            problems[str(status)] = {
                "description": "One of: " + ", ".join(f"`{code}`" for code in codes) + ".",
                "content": content,
            }
        return problems


_MEANING = {
    200: "The object, or the list.",
    201: "Done: what was made.",
    202: "Accepted: a provider must act first.",
    204: "Done: there is nothing to show.",
}


def finish(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's last step: the tags in order, and nothing undeclared."""
    used = sorted({verb["tags"][0] for path in result["paths"].values() for verb in path.values()})
    result["tags"] = [{"name": tag, "description": _TAGS.get(tag, tag)} for tag in used]
    return result


_TAGS = {
    "tokens": "Short tokens from keys (OAuth 2.0 client credentials).",
    "members": "Members, each under an id that only this partner knows.",
    "benefits": "The catalogue assigned to the partner.",
    "claims": "A member's own units of a benefit.",
    "credits": "Balances and statement lines.",
    "events": "What changed, in the order it changed.",
    "webhooks": "Where you listen, what was sent there, and sending it again.",
    "description": "This document.",
}
