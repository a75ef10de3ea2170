from datetime import datetime
from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from benefits.models.gift import GIFTS_PER_DAY_MAX, NAME_LETTERS_MAX, WORDS_LETTERS_MAX, Gift
from zone.core.ids import new_public_id

GROUPS_AT_ONCE_MAX = 3
PARTS_MAX = 50


class GroupGift(models.Model):
    """A benefit that friends pay for together, so that its starter can give it to one more friend.

    While it is collecting, a unit is held in the starter's name and each part is held on its own
    member's account. The commit of the last part takes them all, makes the one claim and puts it
    into a box; any other end gives every part back. What it costs, and what comes back should the
    box come back, is as it was told when it was started.
    """

    class State(models.TextChoices):
        COLLECTING = "collecting", _("collecting")
        COMPLETE = "complete", _("complete")
        CALLED_OFF = "called_off", _("called off")
        ENDED = "ended", _("not complete in time")
        REFUSED = "refused", _("could not be claimed")
        RETURNED = "returned", _("came back unopened")

    GIVEN_STATES = (State.COMPLETE, State.RETURNED)

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "ggf"), editable=False
    )
    op_id = models.UUIDField(editable=False)
    starter = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="groups_started"
    )
    release = models.ForeignKey(
        "benefits.Release",
        on_delete=models.PROTECT,  # What is collected for.
        related_name="group_gifts",
    )
    # Holds the unit, as a partner's hold does.
    place = models.OneToOneField(
        "benefits.WaitlistEntry", on_delete=models.PROTECT, related_name="group_gift"
    )
    claim = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, null=True, related_name="group_gift"
    )
    gift = models.OneToOneField(
        Gift, on_delete=models.PROTECT, null=True, related_name="group_gift"
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.COLLECTING)
    price_credits = models.PositiveIntegerField(_("price"))
    # What is held or was taken for it: the parts that were not given back.
    collected = models.PositiveIntegerField(_("collected"), default=0)
    return_percent = models.PositiveSmallIntegerField(_("share that comes back"))
    theme = models.CharField(_("card"), max_length=6, choices=Gift.Theme, default=Gift.Theme.PINK)
    words = models.CharField(_("words"), max_length=WORDS_LETTERS_MAX, blank=True)
    signed_by = models.CharField(_("from"), max_length=NAME_LETTERS_MAX, blank=True)
    receiver_name = models.CharField(_("for"), max_length=NAME_LETTERS_MAX, blank=True)
    # When the box is delivered; null: as soon as it is paid for.
    deliver_at = models.DateTimeField(_("delivery"), null=True)
    time_zone = models.CharField(_("time zone"), max_length=40)
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    token_sealed = models.BinaryField(max_length=120, editable=False, default=b"")
    # The gift it will be counts on the day it was started: its number there is kept for it.
    started_on = models.DateField()
    nth = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(_("started"))
    ends_at = models.DateTimeField(_("ends"))
    closed_at = models.DateTimeField(_("closed"), null=True)
    # Of one that could not be claimed: the refusal's code.
    failure_code = models.CharField(_("why"), max_length=40, blank=True)
    # Of one that was called off: by whom, and why when it was an operator.
    closed_by = models.CharField(_("called off by"), max_length=80, blank=True)
    note = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("gift with friends")
        verbose_name_plural = _("gifts with friends")
        permissions = [("call_off_groupgift", "Can call a gift with friends off")]
        constraints = [
            models.UniqueConstraint(fields=["starter", "op_id"], name="benefits_groupgift_op_once"),
            models.UniqueConstraint(
                fields=["starter", "started_on", "nth"], name="benefits_groupgift_number_of_day"
            ),
            models.CheckConstraint(
                condition=models.Q(nth__gte=1) & models.Q(nth__lte=GIFTS_PER_DAY_MAX),
                name="benefits_groupgift_within_day",
            ),
            models.CheckConstraint(
                condition=models.Q(collected__lte=models.F("price_credits")),
                name="benefits_groupgift_within_price",
            ),
            models.CheckConstraint(
                condition=models.Q(state="collecting", closed_at__isnull=True)
                | (~models.Q(state="collecting") & models.Q(closed_at__isnull=False)),
                name="benefits_groupgift_open_or_closed",
            ),
            # Paid in full, claimed and in its box; or nothing of it.
            models.CheckConstraint(
                condition=models.Q(
                    state__in=["complete", "returned"],
                    claim__isnull=False,
                    gift__isnull=False,
                    collected=models.F("price_credits"),
                )
                | (
                    ~models.Q(state__in=["complete", "returned"])
                    & models.Q(claim__isnull=True, gift__isnull=True)
                ),
                name="benefits_groupgift_whole_or_nothing",
            ),
        ]
        indexes = [
            # The sweep: whose time is over.
            models.Index(
                fields=["ends_at"],
                name="benefits_groupgift_due",
                condition=models.Q(state="collecting"),
            ),
            # The gift centre, and a starter's own claim beside it.
            models.Index(fields=["starter", "-id"], name="benefits_groupgift_started"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def missing(self) -> int:
        return self.price_credits - self.collected

    def is_over_at(self, now: datetime) -> bool:
        """Whether it is not collecting any more, whether or not the worker has been by."""
        return self.state != self.State.COLLECTING or self.ends_at <= now

    def state_at(self, now: datetime) -> str:
        """What a reader is told: a time that is over is over without the worker too."""
        if self.state == self.State.COLLECTING and self.ends_at <= now:
            return self.State.ENDED
        return self.state


class GroupPart(models.Model):
    """What one press put in: held on its member's own account until the gift is paid or called off."""

    class State(models.TextChoices):
        HELD = "held", _("set aside")
        TAKEN = "taken", _("taken")
        RELEASED = "released", _("given back")

    group = models.ForeignKey(GroupGift, on_delete=models.PROTECT, related_name="parts")
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="group_parts"
    )
    # The hold's name in the ledger, and the entry that took it.
    op_id = models.UUIDField(editable=False)
    capture_op = models.UUIDField(editable=False, null=True)
    amount = models.PositiveIntegerField(_("credits"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.HELD)
    # How the member signs, for the others: the only name they see.
    signed_by = models.CharField(max_length=NAME_LETTERS_MAX, blank=True)
    # What came back after the gift had come back.
    refunded = models.PositiveIntegerField(_("came back"), default=0)
    created_at = models.DateTimeField(_("put in"))
    closed_at = models.DateTimeField(_("closed"), null=True)

    class Meta:
        verbose_name = _("part of a gift")
        verbose_name_plural = _("parts of gifts")
        constraints = [
            models.UniqueConstraint(fields=["member", "op_id"], name="benefits_grouppart_op_once"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=1) & models.Q(refunded__lte=models.F("amount")),
                name="benefits_grouppart_amounts",
            ),
            models.CheckConstraint(
                condition=models.Q(state="taken", capture_op__isnull=False)
                | (~models.Q(state="taken") & models.Q(capture_op__isnull=True, refunded=0)),
                name="benefits_grouppart_taken_by_an_entry",
            ),
        ]
        indexes = [
            # "Put in by me", newest first.
            models.Index(fields=["member", "-id"], name="benefits_grouppart_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.group_id}: {self.amount}"
