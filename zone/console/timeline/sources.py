"""Where a member's timeline comes from: each room's table, and how its rows read."""

from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.models import ClaimEvent
from credits.models import Entry
from zone.console.timeline.moments import Moment, Source
from zone.core.money import format_money
from zone.history.models import Charge, Refund, SubscriptionEvent
from zone.members.models import Binding, BindingAttempt, Consent, MemberSession
from zone.notices.models import Notice

_LANGUAGE = "en"
_BAD_CLAIM_STATES = {"failed", "revoked"}


def _admin_page(row: Any, key: Any = None) -> str:
    try:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
        return reverse(name, args=[row.pk if key is None else key])
    except NoReverseMatch:
        return ""  # A table without a page of its own: the line stands alone.


def _money(value: int, currency: str) -> str:
    return format_money(value, currency, _LANGUAGE)


def _bound(row: Binding) -> Moment:
    return Moment(
        row.bound_at,  # type: ignore[arg-type]
        _("Bound to Apple"),
        row.account_masked,
        link=_admin_page(row),
        tone="good",
    )


def _unbound(row: Binding) -> Moment:
    reason = row.failure_reason or row.get_status_display()
    return Moment(row.unbound_at, _("Binding ended"), str(reason), link=_admin_page(row))  # type: ignore[arg-type]


def _attempt(row: BindingAttempt) -> Moment:
    steps = ", ".join(step.name for step in row.steps.all())
    title = _("Binding attempt: %(outcome)s") % {"outcome": row.get_outcome_display()}
    if row.failure_reason:
        title = f"{title} ({row.failure_reason})"
    is_lost = row.outcome in {"failed", "abandoned"}
    return Moment(
        row.started_at, title, steps, link=_admin_page(row), tone="warn" if is_lost else ""
    )


def _charge(row: Charge) -> Moment:
    titles = [line.title for line in row.lines.all()]
    facts = [row.bill_no]
    if row.refunded:
        facts.append(_("%(amount)s refunded") % {"amount": _money(row.refunded, row.currency)})
    if row.credits_earned:
        facts.append(_("%(count)s credits earned") % {"count": row.credits_earned})
    return Moment(
        row.paid_at,
        ", ".join(titles) or row.merchant_name or _("Apple charge"),
        " · ".join(facts),
        amount=_money(-row.amount, row.currency),
        link=_admin_page(row),
        tone="" if row.status == Charge.Status.SUCCEEDED else "warn",
    )


def _refund(row: Refund) -> Moment:
    return Moment(
        row.refunded_at,
        _("Refund: %(state)s") % {"state": row.get_state_display()},
        row.bill_no,
        amount=f"+{_money(row.amount, row.currency)}",
        link=_admin_page(row),
    )


def _subscription_event(row: SubscriptionEvent) -> Moment:
    subscription = row.subscription
    return Moment(
        row.occurred_at,
        f"{row.plan or subscription.plan or subscription.service}: {row.get_status_display()}",
        _("until %(date)s") % {"date": f"{row.period_ends_at:%Y-%m-%d}"},
        amount=_money(row.price, subscription.currency),
        link=_admin_page(subscription),
        tone="warn" if row.status in {"grace", "retry", "expired"} else "",
    )


def _claim_event(row: ClaimEvent) -> Moment:
    claim = row.claim
    words = [claim.public_id, row.cause, _("by %(actor)s") % {"actor": row.actor}]
    return Moment(
        row.at,
        f"{claim.benefit.slug}: {row.to_state}",
        " · ".join(words),
        amount=_("%(count)s credits") % {"count": claim.price_credits}
        if claim.price_credits
        else "",
        link=_admin_page(claim),
        tone="bad" if row.to_state in _BAD_CLAIM_STATES else "",
    )


def _entry(row: Entry) -> Moment:
    change = row.available_change + row.held_change - row.debt_change
    words = [word for word in (row.reason, row.related) if word]
    if row.debt_after:
        words.append(_("%(count)s owed") % {"count": row.debt_after})
    return Moment(
        row.posted_at,
        _("Credits: %(kind)s, %(balance)s available")
        % {"kind": row.get_kind_display(), "balance": row.available_after},
        " · ".join(words),
        amount=f"{change:+d}" if change else "",
        link=_admin_page(row),
        tone="warn" if row.debt_after else "",
    )


def _notice(row: Notice) -> Moment:
    read = _("read") if row.read_at else _("not read")
    return Moment(row.created_at, _("Notice: %(kind)s") % {"kind": row.kind}, read)


def _session(row: MemberSession) -> Moment:
    return Moment(row.created_at, _("Signed in"), row.device or row.host)


def _consent(row: Consent) -> Moment:
    title = _("Agreed to %(purpose)s") % {"purpose": row.get_purpose_display()}
    return Moment(row.given_at, title, row.policy_version)


def _withdrawal(row: Consent) -> Moment:
    title = _("Took back %(purpose)s") % {"purpose": row.get_purpose_display()}
    return Moment(row.withdrawn_at, title, row.policy_version)  # type: ignore[arg-type]


def _bindings(member_id: int) -> QuerySet[Any]:
    return Binding.objects.filter(member_id=member_id)


def _consents(member_id: int) -> QuerySet[Any]:
    return Consent.objects.filter(member_id=member_id)


def _attempts(member_id: int) -> QuerySet[Any]:
    return BindingAttempt.objects.filter(member_id=member_id).prefetch_related("steps")


def _charges(member_id: int) -> QuerySet[Any]:
    return Charge.objects.filter(member_id=member_id).prefetch_related("lines")


def _subscription_events(member_id: int) -> QuerySet[Any]:
    events = SubscriptionEvent.objects.filter(subscription__member_id=member_id)
    return events.select_related("subscription")


def _claim_events(member_id: int) -> QuerySet[Any]:
    events = ClaimEvent.objects.filter(claim__member_id=member_id)
    return events.select_related("claim__benefit")


SOURCES = [
    Source(
        "claim", gettext_lazy("Claim"), "benefits.view_claim", _claim_events, "at", _claim_event
    ),
    Source(
        "entry",
        gettext_lazy("Credits"),
        "credits.view_entry",
        lambda member_id: Entry.objects.filter(member_id=member_id),
        "posted_at",
        _entry,
    ),
    Source(
        "refund",
        gettext_lazy("Refund"),
        "history.view_refund",
        lambda member_id: Refund.objects.filter(member_id=member_id),
        "refunded_at",
        _refund,
    ),
    Source("charge", gettext_lazy("Charge"), "history.view_charge", _charges, "paid_at", _charge),
    Source(
        "subscription",
        gettext_lazy("Subscription"),
        "history.view_subscription",
        _subscription_events,
        "occurred_at",
        _subscription_event,
    ),
    Source(
        "notice",
        gettext_lazy("Notice"),
        "notices.view_notice",
        lambda member_id: Notice.objects.filter(member_id=member_id),
        "created_at",
        _notice,
    ),
    Source(
        "unbound",
        gettext_lazy("Binding"),
        "members.view_binding",
        _bindings,
        "unbound_at",
        _unbound,
    ),
    Source("bound", gettext_lazy("Binding"), "members.view_binding", _bindings, "bound_at", _bound),
    Source(
        "attempt",
        gettext_lazy("Binding"),
        "members.view_bindingattempt",
        _attempts,
        "started_at",
        _attempt,
    ),
    Source(
        "withdrawal",
        gettext_lazy("Consent"),
        "members.view_consent",
        _consents,
        "withdrawn_at",
        _withdrawal,
    ),
    Source(
        "consent", gettext_lazy("Consent"), "members.view_consent", _consents, "given_at", _consent
    ),
    Source(
        "session",
        gettext_lazy("Sign-in"),
        "members.view_membersession",
        lambda member_id: MemberSession.objects.filter(member_id=member_id),
        "created_at",
        _session,
    ),
]
