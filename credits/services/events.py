"""Credits for what is no purchase: by the same rule table, under the same caps, once each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from credits import errors, ledger
from credits.kinds import Counter
from credits.models import EarnDecision, EarnEvent, EarnRule
from credits.queries.earning import parts_as_facts, read_rule_book, read_usage
from credits.queries.events import happening_of
from credits.rules import RuleBook, Usage, Worth, worth_of_event
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Member

Kind = EarnRule.Kind
COUNTERS = {
    Kind.BINDING: Counter.WELCOME,
    Kind.MISSION: Counter.MISSIONS,
    Kind.STREAK: Counter.CHECK_IN,
    Kind.REFERRAL: Counter.REFERRALS,
}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a member. `source` names it: the same one gives once.

    `subject` is what a rule may be limited to (a mission's address); `count` is its number, of
    which a rule may want every third (a day of a streak).
    """

    member: Member
    kind: str
    source: str
    at: datetime
    subject: str = ""
    count: int = 1
    related: str = ""


def earn_for(events: Sequence[Event]) -> int:
    """Give what the rules say for these; says how many credits. In the caller's transaction.

    Safe to repeat and to race: the member's row is taken first, and what was decided stays. What
    no rule speaks of leaves no trace, so that a rule which comes later finds it open.
    """
    kinds = {event.kind for event in events}
    if not events or not EarnRule.objects.filter(kind__in=kinds, is_active=True).exists():
        return 0
    member_ids = {event.member.pk for event in events}
    list(Member.objects.filter(pk__in=member_ids).order_by("pk").select_for_update(no_key=True))
    book, now = read_rule_book(), database_now()
    usage = read_usage(member_ids, [event.at.date() for event in events], book)
    given = 0
    for event in sorted(events, key=lambda event: event.member.pk):
        if is_decided(event):
            continue
        worth = worth_event(event, book, usage)
        if worth.reason == EarnDecision.Reason.NO_RULE:
            continue
        op_id = _post(event, worth, now) if worth.credits else None
        record_event(event, worth, op_id=op_id, now=now)
        given += worth.credits if op_id else 0
    return given


def is_decided(event: Event) -> bool:
    """Whether it gave something before. True for good once it is, while the member's row is held."""
    return EarnEvent.objects.filter(
        member=event.member, kind=event.kind, source=event.source
    ).exists()


def worth_event(event: Event, book: RuleBook, usage: dict[int, Usage]) -> Worth:
    """What `event` is worth after everything that `usage` counts; it counts for the next one."""
    happening = happening_of(
        event.member, kind=event.kind, at=event.at, subject=event.subject, count=event.count
    )
    used = usage.setdefault(event.member.pk, Usage())
    worth = worth_of_event(happening, book, used)
    used.add_credits(happening.on, worth.credits)
    return worth


def record_event(event: Event, worth: Worth, *, op_id: UUID | None, now: datetime) -> EarnEvent:
    """Why the event gave what it did, beside the credits and in their commit."""
    is_closed = worth.credits > 0 and op_id is None
    happening = happening_of(event.member, kind=event.kind, at=event.at)
    return EarnEvent.objects.create(
        member=event.member,
        kind=event.kind,
        source=event.source,
        on=happening.on,
        occurred_at=event.at,
        credits=0 if is_closed else worth.credits,
        reason=EarnDecision.Reason.CLOSED if is_closed else worth.reason,
        parts=parts_as_facts(worth.parts),
        trimmed=worth.trimmed,
        cap=worth.cap,
        op_id=op_id,
        decided_at=now,
    )


def _post(event: Event, worth: Worth, now: datetime) -> UUID | None:
    """None when the account is closed: then nothing is owed."""
    op_id = uuid7(now)
    [answer] = ledger.earn_batch(
        [
            ledger.Earn(
                member_id=event.member.pk,
                op_id=op_id,
                amount=worth.credits,
                counter=COUNTERS[Kind(event.kind)],
                reason=event.kind,
                related=event.related or event.source[:40],
                occurred_at=event.at,
            )
        ],
        is_owed=True,
    )
    if isinstance(answer, errors.AccountClosed):
        return None
    if isinstance(answer, errors.LedgerError):
        raise answer
    return op_id
