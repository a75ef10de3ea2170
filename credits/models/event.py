"""What rules gave for something else than a purchase, and who invited whom."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from credits.models.policy import EarnDecision


class EarnEvent(models.Model):
    """Why a binding, a mission, a streak or a friend's purchase gave what it did: once each.

    Written in the commit that posts or promises the credits, also when there were none.
    """

    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("kind"), max_length=12)
    # What happened, by its own name: a mission's address and period, a day, a friend.
    source = models.CharField(_("source"), max_length=80)
    # The member's own day: caps and limits count by it, together with purchases.
    on = models.DateField(_("day"))
    occurred_at = models.DateTimeField(_("happened"))
    credits = models.PositiveIntegerField(_("credits"))
    reason = models.CharField(_("reason"), max_length=9, choices=EarnDecision.Reason)
    parts = models.JSONField(default=list)
    trimmed = models.PositiveIntegerField(_("taken off by a cap"), default=0)
    cap = models.CharField(_("cap"), max_length=6, blank=True)
    op_id = models.UUIDField(null=True, editable=False)
    # What was taken back since, because what it was given for was undone.
    taken = models.PositiveIntegerField(_("taken back"), default=0)
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("earn event")
        verbose_name_plural = _("earn events")
        ordering = ["-pk"]
        constraints = [
            # However often it is told, it gives once.
            models.UniqueConstraint(
                fields=["member", "kind", "source"], name="credits_earnevent_once"
            ),
            models.CheckConstraint(
                condition=models.Q(credits=0, op_id__isnull=True)
                | models.Q(credits__gt=0, op_id__isnull=False),
                name="credits_earnevent_paid_by_op",
            ),
            models.CheckConstraint(
                condition=models.Q(taken__lte=models.F("credits")),
                name="credits_earnevent_taken_within",
            ),
        ]
        indexes = [
            # What a member earned in a day or month, for caps and limits.
            models.Index(fields=["member", "on"], name="credits_earnevent_usage"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class Invitation(models.Model):
    """The code under which a member invites friends: one for good, without a word about them."""

    member = models.OneToOneField(
        "members.Member", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    code = models.CharField(_("code"), max_length=12, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self) -> str:
        return self.code


class Referral(models.Model):
    """A friend who accepted somebody's invitation, and what came of it."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for the first purchase")
        BOUGHT = "bought", _("bought something")
        REFUSED = "refused", _("was a customer before")
        REFUNDED = "refunded", _("purchase refunded")

    friend = models.OneToOneField(
        "members.Member", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    inviter = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    accepted_at = models.DateTimeField(_("accepted"))
    # The friend's first purchase: refunds of it are looked up by it.
    charge_id = models.UUIDField(null=True, editable=False)
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        ordering = ["-accepted_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(friend=models.F("inviter")),
                name="credits_referral_not_oneself",
            ),
            models.CheckConstraint(
                condition=models.Q(state="waiting", charge_id__isnull=True)
                | (~models.Q(state="waiting") & models.Q(charge_id__isnull=False)),
                name="credits_referral_settled_by_charge",
            ),
        ]
        indexes = [
            # A member's own friends, newest first.
            models.Index(fields=["inviter", "-accepted_at"], name="credits_referral_of_inviter"),
            # A refund asks whether its charge was somebody's first.
            models.Index(
                fields=["charge_id"],
                name="credits_referral_charge",
                condition=models.Q(charge_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"referral {self.friend_id}"
