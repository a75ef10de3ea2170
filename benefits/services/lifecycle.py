"""Moving a benefit through its life: only along the lines drawn here, and always on record."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from benefits.errors import IllegalMove, NotReady
from benefits.models import Benefit, BenefitEvent, BenefitTerms
from benefits.rule_errors import OwnBenefit
from benefits.services.copies import list_variables
from benefits.services.partner_news import tell_partners
from benefits.services.readiness import list_findings

Status = Benefit.Status

# Where each status may go. What has ended stays ended: its claims and terms point at it.
MOVES: dict[str, tuple[str, ...]] = {
    Status.DRAFT: (Status.IN_REVIEW,),
    Status.IN_REVIEW: (Status.DRAFT, Status.SCHEDULED),
    Status.SCHEDULED: (Status.DRAFT, Status.LIVE, Status.ENDED),
    Status.LIVE: (Status.PAUSED, Status.ENDED),
    Status.PAUSED: (Status.LIVE, Status.ENDED),
    Status.ENDED: (),
}


def move_benefit(
    *, benefit: Benefit, to: str, actor: str, now: datetime, reason: str = ""
) -> Benefit:
    """Bring a benefit to another status, with an event that says who and why.

    Approval (to scheduled) publishes its terms. Partners it is assigned to are told. The guarded update decides between two operators:
    the second finds the status changed and is refused. Safe to repeat in the sense that nothing
    happens twice.

    Raises IllegalMove with the moves there are, NotReady naming what is missing, OwnBenefit when
    its maker would approve it.
    """
    if to not in MOVES[benefit.status] or benefit.binned_at is not None:
        raise _illegal(benefit.status, to)
    if to in (Status.IN_REVIEW, Status.SCHEDULED):
        refuse_unless_ready(benefit, now=now)
    if to == Status.SCHEDULED and benefit.status == Status.IN_REVIEW:
        _refuse_own(benefit, actor)
    was = benefit.status
    with transaction.atomic():
        moved = Benefit.objects.filter(pk=benefit.pk, status=was, binned_at=None).update(
            status=to, updated_at=now
        )
        if not moved:
            benefit.refresh_from_db(fields=["status"])
            raise _illegal(benefit.status, to)
        BenefitEvent.objects.create(
            benefit=benefit,
            at=now,
            actor=actor,
            cause="move",
            from_status=was,
            to_status=to,
            facts={"reason": reason} if reason else {},
        )
        if to == Status.SCHEDULED:
            publish_terms(benefit=benefit, now=now)
        tell_partners(benefit, what="ended" if to == Status.ENDED else "updated", now=now)
    benefit.status = to
    return benefit


def _illegal(status: str, wanted: str) -> IllegalMove:
    allowed = ", ".join(str(Status(move).label) for move in MOVES[status]) or "–"
    return IllegalMove(status=Status(status).label, wanted=Status(wanted).label, allowed=allowed)


def refuse_unless_ready(benefit: Benefit, *, now: datetime) -> None:
    """Raises NotReady naming everything a member would miss."""
    missing = [each.sentence for each in list_findings(benefit, now=now) if each.blocks]
    if variables := list_variables(benefit):
        missing.append(
            _("words for %(names)s") % {"names": ", ".join("{{" + n + "}}" for n in variables)}
        )
    if missing:
        raise NotReady(missing="; ".join(missing))


def _refuse_own(benefit: Benefit, actor: str) -> None:
    """Whoever sent a benefit to review does not approve it. Raises OwnBenefit."""
    sent = benefit.events.filter(cause="move", to_status=Status.IN_REVIEW).order_by("-id").first()
    if sent is not None and sent.actor == actor:
        raise OwnBenefit()


def publish_terms(*, benefit: Benefit, now: datetime) -> BenefitTerms:
    """Keep the terms as they read now, for the claims to come. The same version stays as it was.

    Changed wording under an old version number gets a number of its own, so that no claim's terms
    change behind it.
    """
    texts = {
        text.language: {"title": text.title, "terms": text.terms} for text in benefit.texts.all()
    }
    newest = benefit.published_terms.order_by("-published_at", "-id").first()
    is_same = newest is not None and newest.return_percent == benefit.return_percent
    if newest is not None and is_same and newest.texts == texts:
        return newest
    version = benefit.terms_version
    if benefit.published_terms.filter(version=version).exists():
        version = f"{version[:12]}.{benefit.published_terms.count()}"
        Benefit.objects.filter(pk=benefit.pk).update(terms_version=version)
        benefit.terms_version = version
    return BenefitTerms.objects.create(
        benefit=benefit,
        version=version,
        texts=texts,
        return_percent=benefit.return_percent,
        published_at=now,
    )


def settle_windows(*, now: datetime) -> int:
    """Write down what the visible windows have already decided: begun is live, over is ended.

    Readers do not wait for it. Safe to repeat and to race. Returns how many it moved.
    """
    moved = 0
    begun = Benefit.objects.filter(status=Status.SCHEDULED, visible_from__lte=now)
    over = Benefit.objects.filter(
        status__in=[Status.SCHEDULED, Status.LIVE, Status.PAUSED], visible_until__lte=now
    )
    for benefits, to in ((over, Status.ENDED), (begun, Status.LIVE)):
        for benefit in benefits:
            try:
                move_benefit(benefit=benefit, to=to, actor="worker", now=now, reason="window")
            except IllegalMove:
                continue  # Somebody moved it first.
            moved += 1
    return moved
