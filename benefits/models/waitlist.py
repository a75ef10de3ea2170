from django.db import models
from django.utils.translation import gettext_lazy as _


class WaitlistEntry(models.Model):
    """A member's place in the line for a release that is sold out; the lower key is served first.

    An offer is a returned slot that names the member; this row says how it ended.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        OFFERED = "offered", _("offered")
        CLAIMED = "claimed", _("claimed")
        DECLINED = "declined", _("declined")
        LAPSED = "lapsed", _("let pass")
        LEFT = "left", _("left")

    OPEN_STATES = (State.WAITING, State.OFFERED)

    release = models.ForeignKey(
        "benefits.Release", on_delete=models.PROTECT, related_name="waitlist"
    )
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="waitlist_entries"
    )
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    joined_at = models.DateTimeField()
    offered_at = models.DateTimeField(null=True)
    offered_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)  # When the notice of the offer was written.

    class Meta:
        verbose_name = _("place in line")
        verbose_name_plural = _("places in line")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "member"],
                name="benefits_waitlist_one_place",
                condition=models.Q(state__in=["waiting", "offered"]),
            ),
            models.CheckConstraint(
                condition=models.Q(state="offered", offered_until__isnull=False)
                | ~models.Q(state="offered"),
                name="benefits_waitlist_offer_ends",
            ),
        ]
        indexes = [
            # Who is next, and how many are before me.
            models.Index(
                fields=["release", "id"],
                name="benefits_waitlist_line",
                condition=models.Q(state="waiting"),
            ),
            # Offers whose time is over, and offers nobody was told of.
            models.Index(
                fields=["offered_until"],
                name="benefits_waitlist_offers",
                condition=models.Q(state="offered"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.release_id}: {self.state}"
