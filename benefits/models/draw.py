from datetime import datetime
from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id, uuid7


class FairDraw(models.Model):
    """A release given out by lot: entries are collected, then winners are drawn and claim.

    `commitment` binds us before the first entry: it is the hash of the terms and of a secret that
    nobody sees until entries are closed and their list is published. Terms are never changed.
    """

    class State(models.TextChoices):
        OPEN = "open", _("collecting entries")
        CLOSED = "closed", _("closed, list published")
        DRAWING = "drawing", _("winners are claiming")
        DONE = "done", _("done")
        CANCELED = "canceled", _("canceled")

    class EntryBy(models.TextChoices):
        MEMBER = "member", _("everyone once, by asking")
        TICKET = "ticket", _("by ticket only, once for each")

    # While one of these holds, only winners may claim from the release.
    LIVE_STATES = (State.OPEN, State.CLOSED, State.DRAWING)

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "drw"), editable=False
    )
    release = models.OneToOneField(
        "benefits.Release", on_delete=models.PROTECT, related_name="draw", verbose_name=_("release")
    )
    state = models.CharField(_("status"), max_length=8, choices=State, default=State.OPEN)
    # One of its terms, and kept beside them to be asked for.
    entry_by = models.CharField(
        _("how one enters"),
        max_length=8,
        choices=EntryBy,
        default=EntryBy.MEMBER,
        db_default=EntryBy.MEMBER,
    )
    entries_open_at = models.DateTimeField(_("entries open"))
    entries_close_at = models.DateTimeField(_("entries close"))
    winners_max = models.PositiveIntegerField(_("winners"))
    # A value of somebody else's that is known only after the close, such as a lottery's numbers.
    beacon_name = models.CharField(_("outside value, announced"), max_length=120, blank=True)
    beacon = models.CharField(_("outside value"), max_length=200, blank=True)
    terms = models.JSONField(_("terms"))  # What was committed to, as it was published.
    commitment = models.CharField(_("commitment"), max_length=64)
    secret_sealed = models.BinaryField(max_length=200, editable=False)
    # Published step by step.
    entry_count = models.PositiveIntegerField(_("entries"), default=0)
    entries_root = models.CharField(_("root of the entries"), max_length=64, blank=True)
    secret = models.CharField(_("secret"), max_length=64, blank=True)
    seed = models.CharField(_("seed"), max_length=64, blank=True)
    winner_count = models.PositiveIntegerField(_("winners so far"), default=0)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(_("closed at"), null=True)
    drawn_at = models.DateTimeField(_("drawn at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    actor = models.CharField(max_length=80)

    class Meta:
        verbose_name = _("fair draw")
        verbose_name_plural = _("fair draws")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(entries_close_at__gt=models.F("entries_open_at")),
                name="benefits_fairdraw_window",
            ),
            models.CheckConstraint(
                condition=models.Q(winners_max__gte=1)
                & models.Q(winner_count__lte=models.F("winners_max")),
                name="benefits_fairdraw_winners",
            ),
            # The secret is seen only after the list of entries was published.
            models.CheckConstraint(
                condition=models.Q(secret="") | ~models.Q(entries_root=""),
                name="benefits_fairdraw_list_before_secret",
            ),
        ]
        indexes = [
            # Draws with something left to do.
            models.Index(
                fields=["entries_close_at"],
                name="benefits_fairdraw_due",
                condition=models.Q(state__in=["open", "closed", "drawing"]),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def wins_max(self) -> int:
        """How often one member may win; a draw from before it was said has one entry for each."""
        return int(self.terms.get("wins_per_member", 1))

    def is_vain_at(self, now: datetime) -> bool:
        """Whether nobody can have the prize any more, whether or not the worker has called it off."""
        release, benefit = self.release, self.release.benefit
        ends = (release.closes_at, benefit.claimable_until, benefit.visible_until)
        is_over = any(end is not None and end <= now for end in ends)
        return is_over or benefit.status == benefit.Status.ENDED or not release.stock

    def phase_at(self, now: datetime) -> str:
        """The state as people see it: coming, open, closing, closed, drawing, done or canceled."""
        if self.state != self.State.OPEN:
            return str(self.state)
        if now < self.entries_open_at:
            return "coming"
        return "open" if now < self.entries_close_at else "closing"


class DrawEntry(models.Model):
    """One chance of a member: the one they asked for, or one of a ticket of theirs.

    Its public id is random to others and known to the member. A ticket's entry is made by its
    claim, in SQL, and goes with it until entries close.
    """

    class State(models.TextChoices):
        ENTERED = "entered", _("entered")
        WON = "won", _("won")
        PASSED = "passed", _("drawn, could not claim")
        LOST = "lost", _("not drawn")

    draw = models.ForeignKey(FairDraw, on_delete=models.PROTECT, related_name="entries")
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="draw_entries"
    )
    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "ent"), editable=False
    )
    op_id = models.UUIDField(default=uuid7, editable=False)  # Of the claim, should it win.
    entered_at = models.DateTimeField()
    rank = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.ENTERED)
    reason = models.CharField(max_length=40, blank=True)
    claim = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, null=True, related_name="draw_entry"
    )
    # The claim of a draw ticket that this entry is; null: the member entered by asking.
    ticket = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, null=True, related_name="ticket_entry"
    )
    told_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("entry of a draw")
        verbose_name_plural = _("entries of draws")
        constraints = [
            models.UniqueConstraint(
                fields=["draw", "member"],
                condition=models.Q(ticket__isnull=True),
                name="benefits_drawentry_once",
            ),
            models.UniqueConstraint(fields=["draw", "rank"], name="benefits_drawentry_rank"),
            models.CheckConstraint(
                condition=models.Q(claim__isnull=True) | models.Q(state="won"),
                name="benefits_drawentry_claim_won",
            ),
        ]
        indexes = [
            # The draw takes entries by rank.
            models.Index(
                fields=["draw", "rank"],
                name="benefits_drawentry_waiting",
                condition=models.Q(state="entered"),
            ),
            # Whoever was not told yet.
            models.Index(
                fields=["draw", "id"],
                name="benefits_drawentry_untold",
                condition=models.Q(told_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
