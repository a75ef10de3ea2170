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
    # Nothing but a unit is missing: of the stock, of a limit for everybody, of a budget.
    needs_units = models.BooleanField(default=False, db_default=False)
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
            # A benefit of which something changed: whoever waits for it, in the order of asking.
            models.Index(
                fields=["benefit", "id"],
                name="benefits_wish_of_benefit",
                condition=models.Q(state="open"),
            ),
            # The same where a single unit came back.
            models.Index(
                fields=["benefit", "id"],
                name="benefits_wish_for_units",
                condition=models.Q(state="open", needs_units=True),
            ),
            # Every claim asks whether its member's claims are waited for.
            models.Index(
                fields=["member"],
                name="benefits_wish_for_claims",
                condition=models.Q(state="open", needs_claims=True),
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


class WishCall(models.Model):
    """Something changed about a benefit that members wait for. Its wishes are woken in pieces.

    Only ever inserted by triggers; the worker notes how far it is, and deletes the row at the end.
    """

    benefit_id = models.BigIntegerField()
    only_for_units = models.BooleanField(db_default=False)
    after_wish = models.BigIntegerField(db_default=0)

    class Meta:
        verbose_name = _("call to the wishes of a benefit")
        verbose_name_plural = _("calls to the wishes of benefits")

    def __str__(self) -> str:
        return f"{self.benefit_id}: {self.after_wish}"


class WishMark(models.Model):
    """The one row that says from which transaction on the journal is unread by wishes."""

    tx_from = models.BigIntegerField()

    class Meta:
        verbose_name = _("mark of the wishes in the journal")
        verbose_name_plural = _("marks of the wishes in the journal")

    def __str__(self) -> str:
        return str(self.tx_from)
