from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Wish(models.Model):
    """A member asked to be told when a benefit can be theirs. They are told once.

    While `open` the row is its own message: `looks_at` is when somebody looks again. It comes
    nearer when something happens that may have changed the answer (see `sql/wishes.sql`).
    """

    class State(models.TextChoices):
        OPEN = "open", _("waiting")
        TOLD = "told", _("told")
        DROPPED = "dropped", _("dropped")
        OVER = "over", _("ended")  # The benefit ended, or became theirs some other way.

    benefit = models.ForeignKey("benefits.Benefit", on_delete=models.PROTECT, related_name="wishes")
    # Without an index of its own: `benefits_wish_one_open` begins with the member.
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="wishes", db_index=False
    )
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    asked_at = models.DateTimeField(db_default=Now())
    looked_at = models.DateTimeField(null=True)
    looks_at = models.DateTimeField(null=True)
    # Looked at again once the member has so many credits, or made another claim.
    needs_credits = models.PositiveIntegerField(null=True)
    needs_claims = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("wish to be told")
        verbose_name_plural = _("wishes to be told")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "benefit"],
                condition=models.Q(state="open"),
                name="benefits_wish_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(state="open", looks_at__isnull=False)
                | (~models.Q(state="open") & models.Q(looks_at__isnull=True)),
                name="benefits_wish_waits_only_open",
            ),
        ]
        indexes = [
            # The worker: what is due, oldest first.
            models.Index(
                fields=["looks_at"], name="benefits_wish_due", condition=models.Q(state="open")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.benefit_id}: {self.state}"


class WishTouch(models.Model):
    """Something happened to a member who has an open wish. Looking deletes the row.

    Only ever inserted by triggers, so that no change of a member waits for another one.
    """

    member_id = models.BigIntegerField()

    class Meta:
        verbose_name = _("touched wish")
        verbose_name_plural = _("touched wishes")

    def __str__(self) -> str:
        return str(self.member_id)
