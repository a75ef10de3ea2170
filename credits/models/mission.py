from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.wording import TextsField, text_in


class Mission(models.Model):
    """Something to do for a reward. Everybody takes part; progress counts from `starts_at` on."""

    class Metric(models.TextChoices):
        PURCHASES = "purchases", _("purchases made")
        AMOUNT = "amount", _("amount paid")
        CHECK_INS = "check_ins", _("days checked in")

    class Period(models.TextChoices):
        ONCE = "once", _("once")
        WEEK = "week", _("anew each week")
        MONTH = "month", _("anew each month")

    slug = models.SlugField(_("address"), max_length=60, unique=True)
    # {"en": "Three purchases this month", "zh-hans": "本月完成 3 笔付款"}
    names = TextsField(_("names by language"))
    metric = models.CharField(_("counts"), max_length=9, choices=Metric)
    target = models.PositiveBigIntegerField(_("target"), validators=[MinValueValidator(1)])
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    period = models.CharField(_("period"), max_length=5, choices=Period, default=Period.MONTH)
    reward = models.PositiveIntegerField(_("credits"), validators=[MinValueValidator(1)])
    rolls_back = models.BooleanField(
        _("a refund takes progress back"), default=True, help_text=_("Until it is claimed.")
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("mission")
        verbose_name_plural = _("missions")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target__gt=0, reward__gt=0), name="credits_mission_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="credits_mission_window_forward",
            ),
            models.CheckConstraint(
                condition=~models.Q(metric="amount") | ~models.Q(currency=""),
                name="credits_mission_amount_has_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def name(self) -> str:
        return text_in(self.names, otherwise=self.slug)

    def clean(self) -> None:
        if self.metric == self.Metric.AMOUNT and not self.currency:
            raise ValidationError({"currency": _("An amount needs a currency.")})


class MissionProgress(models.Model):
    """How far a member is with a mission in one period, and whether the reward was claimed."""

    mission = models.ForeignKey(Mission, on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    # The period's first day at home; for a mission done once, the day of the epoch.
    period_on = models.DateField(_("period"))
    progress = models.PositiveBigIntegerField(_("progress"), default=0)
    claimed_at = models.DateTimeField(_("claimed"), null=True)
    op_id = models.UUIDField(null=True)
    updated_at = models.DateTimeField(_("last event"))

    class Meta:
        verbose_name = _("mission progress")
        verbose_name_plural = _("mission progress")
        constraints = [
            # A period is claimed once; also lists a member's missions.
            models.UniqueConstraint(
                fields=["member", "mission", "period_on"], name="credits_missionprogress_once"
            ),
            models.CheckConstraint(
                condition=models.Q(claimed_at__isnull=True, op_id__isnull=True)
                | models.Q(claimed_at__isnull=False, op_id__isnull=False),
                name="credits_missionprogress_claim_has_op",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mission_id} {self.member_id} {self.period_on}"
