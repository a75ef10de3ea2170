"""Changing the rule of a benefit that is out: asked for by one, tried on members, decided by another."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from benefits.conditions.tree import read_tree
from benefits.models import Benefit, PopulationRun, RuleRequest
from benefits.queries import current_tree
from benefits.rule_errors import (
    CommentMissing,
    NotTheMaker,
    OwnRequest,
    RequestClosed,
    RequestStale,
    RequestTampered,
    RuleRequestOpen,
    RuleUnchanged,
    TrialUnfinished,
)
from benefits.services.population import start_run
from benefits.services.rules import set_rule

REQUEST_HOLDS_FOR = timedelta(days=7)
State = RuleRequest.State


def digest_of(tree: Any) -> str:
    """The fingerprint of a rule: the same for the same JSON, whatever its spacing and order of keys."""
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def ask_for_rule(*, benefit: Benefit, tree: Any, actor: str, now: datetime) -> RuleRequest:
    """A request for `tree`, with its trial on members begun. The rule in force stays.

    Raises ValidationError for a rule that cannot be read, RuleUnchanged, RuleRequestOpen.
    """
    read_tree(tree)
    if tree == current_tree(benefit):
        raise RuleUnchanged()
    expire_requests(now=now)
    try:
        with transaction.atomic():
            return RuleRequest.objects.create(
                benefit=benefit,
                tree=tree,
                digest=digest_of(tree),
                base_version=_version_in_force(benefit),
                run=start_run(tree=tree, benefit=benefit, actor=actor, now=now),
                maker=actor,
                created_at=now,
                expires_at=now + REQUEST_HOLDS_FOR,
            )
    except IntegrityError as error:
        waiting = benefit.rule_requests.filter(state=State.OPEN).first()
        if waiting is None:
            raise
        raise RuleRequestOpen(request=waiting.public_id) from error


def approve_rule(
    *, request: RuleRequest, actor: str, now: datetime, comment: str = ""
) -> RuleRequest:
    """What was asked for is in force, to the letter.

    Raises OwnRequest, RequestClosed, RequestStale when another rule came meanwhile, RequestTampered,
    TrialUnfinished. Nothing has changed then.
    """
    with _deciding(request, actor, now) as held:
        # Held with its lock: nobody sets another rule between this look and the new version.
        benefit = Benefit.objects.select_for_update(no_key=True).get(pk=held.benefit_id)
        version = _version_in_force(benefit)
        if version != held.base_version:
            raise RequestStale(version=version)
        if held.digest != digest_of(held.tree):
            raise RequestTampered()
        if held.run.state != PopulationRun.State.DONE:
            raise TrialUnfinished()
        held.version = set_rule(benefit=benefit, tree=held.tree, actor=held.maker, now=now)
        _close(held, State.APPROVED, actor=actor, comment=comment, now=now)
    return held


def reject_rule(*, request: RuleRequest, actor: str, comment: str, now: datetime) -> RuleRequest:
    """A no for good. Raises OwnRequest, RequestClosed, CommentMissing."""
    return _turn_down(request, State.REJECTED, actor, comment, now)


def return_rule(*, request: RuleRequest, actor: str, comment: str, now: datetime) -> RuleRequest:
    """Changes are asked for; the maker builds on it. Raises OwnRequest, RequestClosed, CommentMissing."""
    return _turn_down(request, State.RETURNED, actor, comment, now)


def withdraw_rule(*, request: RuleRequest, actor: str, now: datetime) -> RuleRequest:
    """The maker takes it back. Raises NotTheMaker, RequestClosed."""
    with transaction.atomic():
        held = _hold(request, now)
        if held.maker != actor:
            raise NotTheMaker()
        _close(held, State.WITHDRAWN, actor=actor, comment="", now=now)
    return held


def expire_requests(*, now: datetime) -> int:
    """Requests that nobody decided on in time are closed; how many."""
    return RuleRequest.objects.filter(state=State.OPEN, expires_at__lte=now).update(
        state=State.EXPIRED, decided_at=now
    )


def _turn_down(
    request: RuleRequest, state: str, actor: str, comment: str, now: datetime
) -> RuleRequest:
    if not comment.strip():
        raise CommentMissing()
    with _deciding(request, actor, now) as held:
        _close(held, state, actor=actor, comment=comment, now=now)
    return held


@contextmanager
def _deciding(request: RuleRequest, actor: str, now: datetime) -> Iterator[RuleRequest]:
    """The request, open and locked, for somebody who did not ask for it."""
    with transaction.atomic():
        held = _hold(request, now)
        if held.maker == actor:
            raise OwnRequest()
        yield held


def _hold(request: RuleRequest, now: datetime) -> RuleRequest:
    held = (
        RuleRequest.objects.select_for_update(of=("self",)).select_related("run").get(pk=request.pk)
    )
    if held.state != State.OPEN:
        raise RequestClosed(state=held.get_state_display())
    if held.expires_at <= now:
        raise RequestClosed(state=State.EXPIRED.label)
    return held


def _close(held: RuleRequest, state: str, *, actor: str, comment: str, now: datetime) -> None:
    held.state, held.checker, held.comment, held.decided_at = state, actor, comment[:500], now
    held.save(update_fields=["state", "checker", "comment", "decided_at", "version"])


def _version_in_force(benefit: Benefit) -> int:
    newest = benefit.rule_versions.order_by("-version").values_list("version", flat=True).first()
    return newest or 0
