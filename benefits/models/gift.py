from datetime import datetime
from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id

WORDS_LETTERS_MAX = 50
NAME_LETTERS_MAX = 20
GIFTS_PER_DAY_MAX = 5


class Gift(models.Model):
    """A claim on its way from one member to another, by a link that opens once.

    While it is under way the claim stays the giver's and is frozen: no code, no use, no end. It
    becomes the receiver's in the one commit that accepts, or the giver's again in the one that
    ends the gift. The row is its own message: `next_attempt_at` is when it is delivered, then when
    it goes back by itself.
    """

    class State(models.TextChoices):
        SCHEDULED = "scheduled", _("scheduled")
        DELIVERED = "delivered", _("delivered")
        OPENED = "opened", _("opened")
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")
        RECALLED = "recalled", _("called back")
        RETURNED = "returned", _("returned")
        STOPPED = "stopped", _("stopped by an operator")

    class Theme(models.TextChoices):
        PINK = "pink", _("Blossom")
        BLUE = "blue", _("Sky")
        VIOLET = "violet", _("Night market")
        MINT = "mint", _("Spring")

    UNOPENED_STATES = (State.SCHEDULED, State.DELIVERED)
    OPEN_STATES = (State.SCHEDULED, State.DELIVERED, State.OPENED)

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "gft"), editable=False
    )
    op_id = models.UUIDField(editable=False)
    claim = models.ForeignKey(
        "benefits.Claim",
        on_delete=models.PROTECT,  # What the gift is.
        related_name="gifts",
    )
    giver = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="gifts_given"
    )
    # Whoever opened it first; nobody else can from then on.
    receiver = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, null=True, related_name="gifts_received"
    )
    received_claim = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, null=True, related_name="came_as_gift"
    )
    state = models.CharField(_("state"), max_length=10, choices=State)
    theme = models.CharField(_("card"), max_length=6, choices=Theme, default=Theme.PINK)
    words = models.CharField(_("words"), max_length=WORDS_LETTERS_MAX, blank=True)
    # As the giver signs, and whom it is for in the giver's words: the box shows both.
    signed_by = models.CharField(_("from"), max_length=NAME_LETTERS_MAX, blank=True)
    receiver_name = models.CharField(_("for"), max_length=NAME_LETTERS_MAX, blank=True)
    thanks = models.CharField(_("thanks"), max_length=WORDS_LETTERS_MAX, blank=True)
    # SHA-256 of the link's token. The token itself is sealed for its giver until it is opened.
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    token_sealed = models.BinaryField(max_length=120, editable=False, default=b"")
    # The hour the giver chose, as an instant and as the zone it was chosen in.
    deliver_at = models.DateTimeField(_("delivery"))
    time_zone = models.CharField(_("time zone"), max_length=40)
    returns_at = models.DateTimeField(_("goes back"))
    next_attempt_at = models.DateTimeField(null=True)
    # The claim's life at the moment it was frozen: until then it had this end.
    frozen_at = models.DateTimeField()
    claim_valid_until = models.DateTimeField(null=True)
    # The giver's local day and the number of the gift on it: the day's limit.
    sent_on = models.DateField()
    nth = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    thanked_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("gift")
        verbose_name_plural = _("gifts")
        constraints = [
            models.UniqueConstraint(fields=["giver", "op_id"], name="benefits_gift_op_once"),
            models.UniqueConstraint(
                fields=["claim"],
                condition=models.Q(state__in=["scheduled", "delivered", "opened"]),
                name="benefits_gift_one_under_way",
            ),
            models.UniqueConstraint(
                fields=["giver", "sent_on", "nth"], name="benefits_gift_number_of_day"
            ),
            models.CheckConstraint(
                condition=models.Q(nth__gte=1) & models.Q(nth__lte=GIFTS_PER_DAY_MAX),
                name="benefits_gift_within_day",
            ),
            models.CheckConstraint(
                condition=models.Q(receiver__isnull=True) | ~models.Q(receiver=models.F("giver")),
                name="benefits_gift_not_to_oneself",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["scheduled", "delivered", "opened"], next_attempt_at__isnull=False
                )
                | (
                    ~models.Q(state__in=["scheduled", "delivered", "opened"])
                    & models.Q(next_attempt_at__isnull=True)
                ),
                name="benefits_gift_waits_only_open",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["scheduled", "delivered", "recalled"], receiver__isnull=True
                )
                | models.Q(state__in=["opened", "accepted", "declined"], receiver__isnull=False)
                | models.Q(state__in=["returned", "stopped"]),
                name="benefits_gift_receiver_by_state",
            ),
            models.CheckConstraint(
                condition=models.Q(state="accepted", received_claim__isnull=False)
                | (~models.Q(state="accepted") & models.Q(received_claim__isnull=True)),
                name="benefits_gift_moved_when_accepted",
            ),
        ]
        indexes = [
            # The worker: what is to be delivered or goes back, oldest first.
            models.Index(
                fields=["next_attempt_at"],
                name="benefits_gift_due",
                condition=models.Q(state__in=["scheduled", "delivered", "opened"]),
            ),
            # The gift centre: given and received, newest first.
            models.Index(fields=["giver", "-id"], name="benefits_gift_given"),
            models.Index(
                fields=["receiver", "-id"],
                name="benefits_gift_received",
                condition=models.Q(receiver__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_under_way(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def is_unopened(self) -> bool:
        return self.state in self.UNOPENED_STATES

    def is_due_back(self, now: datetime) -> bool:
        """Whether its time is over, whether or not the worker has been by."""
        return self.is_under_way and self.returns_at <= now

    def state_at(self, now: datetime) -> str:
        """What a reader is told: an hour that has struck has struck without the worker too."""
        if self.is_due_back(now):
            return self.State.RETURNED
        if self.state == self.State.SCHEDULED and self.deliver_at <= now:
            return self.State.DELIVERED
        return self.state


class GiftBlock(models.Model):
    """A member who wants no more gifts from another. Said to nobody but the one who blocks."""

    member = models.ForeignKey(
        "members.Member", on_delete=models.CASCADE, related_name="gift_blocks"
    )
    giver = models.ForeignKey("members.Member", on_delete=models.CASCADE, related_name="+")
    # How the giver had signed: the only name the one who blocks knows.
    signed_by = models.CharField(max_length=NAME_LETTERS_MAX, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("gift block")
        verbose_name_plural = _("gift blocks")
        constraints = [
            models.UniqueConstraint(fields=["member", "giver"], name="benefits_giftblock_once"),
        ]

    def __str__(self) -> str:
        return f"gift block {self.pk}"
