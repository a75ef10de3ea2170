from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.wording import TextsField, text_in


class TierPlan(models.Model):
    """How members rise and fall: by the credits they earned in a period. One plan is in force."""

    class Period(models.TextChoices):
        CALENDAR = "calendar", _("calendar: what was reached lasts through the period after")
        ROLLING = "rolling", _("rolling: the months up to today")

    name = models.CharField(_("name"), max_length=80)
    period = models.CharField(_("period"), max_length=8, choices=Period, default=Period.CALENDAR)
    months = models.PositiveSmallIntegerField(
        _("months in a period"),
        default=12,
        validators=[MinValueValidator(1), MaxValueValidator(36)],
        help_text=_("Calendar periods begin in January: choose 1, 2, 3, 4, 6 or 12."),
    )
    grace_days = models.PositiveSmallIntegerField(
        _("days of grace"), default=30, validators=[MaxValueValidator(180)]
    )
    is_active = models.BooleanField(_("in force"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("tier plan")
        verbose_name_plural = _("tier plans")
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=models.Q(is_active=True),
                name="credits_tierplan_one_active",
            ),
            models.CheckConstraint(
                condition=models.Q(period="rolling", months__range=(1, 36))
                | models.Q(months__in=[1, 2, 3, 4, 6, 12]),
                name="credits_tierplan_months",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Tier(models.Model):
    """One step of a plan. Its threshold is its place: nobody is below the step that asks for 0."""

    plan = models.ForeignKey(TierPlan, on_delete=models.CASCADE, related_name="tiers")
    code = models.SlugField(_("code"), max_length=24)
    # {"en": "Gold", "zh-hans": "金星"}
    names = TextsField(_("names by language"))
    threshold = models.PositiveIntegerField(_("credits earned in a period"))
    is_kept_forever = models.BooleanField(_("kept for good once reached"), default=False)

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["plan", "threshold"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "code"], name="credits_tier_code_once"),
            models.UniqueConstraint(fields=["plan", "threshold"], name="credits_tier_place_once"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        return text_in(self.names, otherwise=self.code)


class MemberTier(models.Model):
    """Where a member stood when last looked at: a cache of the journal, never the truth.

    It answers for the journal as of entry `seq` and until `changes_on`; past either, readers work
    it out anew. Its writer also records moves and tells the member.
    """

    member = models.OneToOneField(
        "members.Member", on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    tier = models.ForeignKey(Tier, on_delete=models.SET_NULL, null=True, related_name="+")
    seq = models.PositiveIntegerField(default=0)
    plan_as_of = models.DateTimeField(null=True)
    facts = models.JSONField(default=dict)
    changes_on = models.DateField(null=True)
    computed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("member's tier")
        verbose_name_plural = _("members' tiers")
        indexes = [
            # The sweep looks at members whose tier changes by the calendar.
            models.Index(
                fields=["changes_on"],
                name="credits_membertier_due",
                condition=models.Q(changes_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"tier of {self.member_id}"


class TierMove(models.Model):
    """A member rose or fell."""

    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    from_code = models.CharField(_("from"), max_length=24, blank=True)
    to_code = models.CharField(_("to"), max_length=24)
    is_up = models.BooleanField(_("up"))
    earned = models.IntegerField(_("earned in the period"))
    moved_at = models.DateTimeField(_("moved"))

    class Meta:
        verbose_name = _("tier move")
        verbose_name_plural = _("tier moves")
        ordering = ["-id"]
        indexes = [
            # A member's moves, newest first.
            models.Index(fields=["member", "-id"], name="credits_tiermove_member"),
        ]

    def __str__(self) -> str:
        return f"{self.from_code} → {self.to_code}"
