"""The audit log: what each operator did, written in the same commit as the deed."""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, models
from django.http import HttpRequest

from zone.console.models import AuditEvent
from zone.core import clock

_SECRET_WORDS = ("password", "secret", "token", "sealed", "key", "index", "hash", "code")
_LONGEST_VALUE = 500


@dataclass(frozen=True)
class Deed:
    """What was done, to what. `before` and `after` hold only what differs."""

    action: str
    target: models.Model | None = None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


def record_deed(request: HttpRequest, deed: Deed) -> AuditEvent:
    """Add one audit event for the operator behind `request`."""
    user = request.user if isinstance(request.user, User) or request.user.pk else None
    event = AuditEvent.objects.create(
        at=clock.now(),
        user_id=user.pk if user else None,
        actor=actor_of(request),
        address=request.META.get("REMOTE_ADDR") or None,
        request_id=getattr(request, "request_id", ""),
        action=deed.action,
        object_type=deed.target._meta.label_lower if deed.target is not None else "",
        object_id=str(deed.target.pk) if deed.target is not None else "",
        object_name=str(deed.target)[:200] if deed.target is not None else "",
        before=deed.before,
        after=deed.after,
        reason=deed.reason,
    )
    request.audit_count = getattr(request, "audit_count", 0) + 1  # type: ignore[attr-defined]
    return event


def actor_of(request: HttpRequest) -> str:
    """How a service is told who acts: "operator:<username>"."""
    return f"operator:{request.user.get_username()}"


def snapshot(row: models.Model) -> dict[str, Any]:
    """A row's fields as plain values; whatever may be secret is only said to be set or not."""
    values = {
        each.name: _plain(each, each.value_from_object(row))
        for each in row._meta.concrete_fields
        if not each.primary_key
    }
    for many in row._meta.many_to_many:
        if row.pk is not None:
            values[many.name] = sorted(str(key) for key in _related_keys(row, many))
    return values


def differences(
    before: dict[str, Any], after: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two snapshots without what they agree on."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def list_broken_events() -> list[int]:
    """Numbers of audit events that were changed, or whose neighbour is missing; [] when sound."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM console_audit_breaks() AS id ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def _plain(each: "models.Field[Any, Any]", value: Any) -> Any:
    if isinstance(each, models.BinaryField) or any(word in each.name for word in _SECRET_WORDS):
        return "[set]" if value else "[empty]"
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | dict):
        return value
    return str(value)[:_LONGEST_VALUE]


def _related_keys(row: models.Model, many: "models.ManyToManyField[Any, Any]") -> list[Any]:
    return list(getattr(row, many.name).values_list("pk", flat=True))
