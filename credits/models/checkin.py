from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class CheckInTrack(models.Model):
    """What checking in gives, day by day, and what a streak forgives. One track is in force."""

    name = models.CharField(_("name"), max_length=80)
    # Day 1 of a streak gives the first number; after the last the track begins again.
    rewards = ArrayField(
        models.PositiveIntegerField(validators=[MaxValueValidator(100_000)]),
        verbose_name=_("credits by day"),
        help_text=_("Commas between them; 7 or 30 days are usual."),
    )
    # A tap this soon after midnight at home may stand for the day before, and one this late for
    # the day after: whoever is elsewhere has another midnight. Below half a day, so that one
    # moment never stands for both.
    margin_hours = models.PositiveSmallIntegerField(
        _("travel margin (hours)"), default=8, validators=[MaxValueValidator(11)]
    )
    shield_every = models.PositiveSmallIntegerField(
        _("a shield for every (days)"), default=7, validators=[MinValueValidator(1)]
    )
    shields_max = models.PositiveSmallIntegerField(_("shields kept at most"), default=2)
    is_active = models.BooleanField(_("in force"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("check-in track")
        verbose_name_plural = _("check-in tracks")
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=models.Q(is_active=True),
                name="credits_checkintrack_one_active",
            ),
            models.CheckConstraint(
                condition=models.Q(rewards__len__range=(1, 31)),
                name="credits_checkintrack_rewards",
            ),
            models.CheckConstraint(
                condition=models.Q(margin_hours__lt=12, shield_every__gt=0),
                name="credits_checkintrack_forgiveness",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Streak(models.Model):
    """Where a member's streak stands: a summary of their check-ins, and the lock they take."""

    member = models.OneToOneField(
        "members.Member", on_delete=models.PROTECT, primary_key=True, related_name="streak"
    )
    # The zone whose days were counted last, kept so that a move cannot lose or double a day.
    zone = models.CharField(_("zone"), max_length=40)
    last_on = models.DateField(_("last day"), null=True)
    length = models.PositiveIntegerField(_("days in a row"), default=0)
    longest = models.PositiveIntegerField(_("longest"), default=0)
    shields = models.PositiveSmallIntegerField(_("shields"), default=0)
    # A second tap late in the evening may be tomorrow where the member is; see `credits.streaks`.
    spare_on = models.DateField(null=True)
    tapped_at = models.DateTimeField(_("last tap"), null=True)

    class Meta:
        verbose_name = _("streak")
        verbose_name_plural = _("streaks")

    def __str__(self) -> str:
        return f"streak {self.member_id}"


class CheckIn(models.Model):
    """One home day of one member that counts for the streak, and how it came to count."""

    class How(models.TextChoices):
        TAP = "tap", _("tapped")
        LATE = "late", _("tapped after midnight, away from home")
        EARLY = "early", _("tapped the evening before, away from home")
        SHIELD = "shield", _("saved by a shield")
        MOVED = "moved", _("jumped over by moving to another zone")

    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    on = models.DateField(_("day"))
    how = models.CharField(_("how"), max_length=6, choices=How)
    streak = models.PositiveIntegerField(_("day of the streak"))
    credits = models.PositiveIntegerField(_("credits"))
    op_id = models.UUIDField(null=True)
    zone = models.CharField(_("zone"), max_length=40)
    created_at = models.DateTimeField(_("recorded"))

    class Meta:
        verbose_name = _("check-in")
        verbose_name_plural = _("check-ins")
        ordering = ["-id"]
        constraints = [
            # A day counts once, however many taps race for it. Also reads a member's last days.
            models.UniqueConstraint(fields=["member", "on"], name="credits_checkin_once"),
            models.CheckConstraint(
                condition=models.Q(credits=0, op_id__isnull=True)
                | models.Q(credits__gt=0, op_id__isnull=False),
                name="credits_checkin_paid_by_op",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.on}"
