"""How a room declares a verb of the API: one function, and beside it everything a caller may know.

Kept apart from the views, because DRF imports the description's class while it defines its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rest_framework.serializers import BaseSerializer

from zone.partners import limiter
from zone.partners.fields import StrictSerializer
from zone.partners.models import AccessToken, Partner

# One expression for the check and for the description.
IDEMPOTENCY_KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"
READ_METHODS = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb says yes with."""

    status: int
    data: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request: who asks, and plain values. Every query starts from partner and mode."""

    partner: Partner
    livemode: bool
    token: AccessToken
    body: dict[str, Any]
    query: dict[str, Any]
    path: str
    version: str

    @property
    def actor(self) -> str:
        return self.partner.actor

    @property
    def owner(self) -> str:
        """Caller and list, for cursors."""
        return f"{self.partner.pk}:{self.livemode}:{self.path}"


class EmptyBody(StrictSerializer):
    """A verb that takes no members."""


class EmptyQuery(StrictSerializer):
    """An address that takes no query parameters."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A verb as the contract and the description know it."""

    run: Callable[..., Answer]
    name: str
    summary: str
    tag: str
    scope: str | None
    answers: dict[int, type[BaseSerializer] | None]
    body: type[BaseSerializer] = EmptyBody
    media_type: str = "application/json"
    query: type[BaseSerializer] = EmptyQuery
    # Codes beyond those that every operation may answer with.
    refusals: tuple[str, ...] = ()
    is_idempotent_by_key: bool = False
    carries_secret: bool = False
    policies: tuple[limiter.Policy, ...] = ()
    # Refusals that use up a pace of their own, by code; they count although the effect is undone.
    counted_refusals: dict[str, limiter.Policy] = field(default_factory=dict)
    description: str = ""


def operation(
    *, summary: str, tag: str, scope: str | None, answers: dict[int, Any], **options: Any
) -> Callable[[Callable[..., Answer]], Operation]:
    """Declare the function below as a verb of the API; its name is the operation id."""

    def declare(run: Callable[..., Answer]) -> Operation:
        text = (run.__doc__ or "").strip()
        return Operation(
            run=run,
            name=run.__name__,
            summary=summary,
            tag=tag,
            scope=scope,
            answers=answers,
            description=text,
            **options,
        )

    return declare
