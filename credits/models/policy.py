from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import public_id_of
from zone.core.wording import TextsField


class EarnPolicy(models.Model):
    """The limits that hold over all earn rules together. One policy is in force."""

    class Bonuses(models.TextChoices):
        BEST = "best", _("only the one that gives most")
        STACK = "stack", _("all that apply, added up")

    class Clawback(models.TextChoices):
        PENDING = "pending", _("take back only what still waits")
        AVAILABLE = "available", _("down to zero")
        DEBT = "debt", _("all of it; the next credits make up for what is missing")

    name = models.CharField(_("name"), max_length=80)
    return_days = models.PositiveSmallIntegerField(
        _("return window (days)"),
        default=0,
        validators=[MaxValueValidator(120)],
        help_text=_("Credits of a purchase wait so long; 0 gives them at once."),
    )
    clawback = models.CharField(
        _("when a purchase is refunded"), max_length=9, choices=Clawback, default=Clawback.DEBT
    )
    bonuses = models.CharField(
        _("when several bonuses apply"), max_length=8, choices=Bonuses, default=Bonuses.BEST
    )
    day_cap = models.PositiveIntegerField(
        _("credits a day at most"), null=True, blank=True, help_text=_("More is trimmed.")
    )
    month_cap = models.PositiveIntegerField(
        _("credits a month at most"), null=True, blank=True, help_text=_("More is trimmed.")
    )
    charge_cap = models.PositiveIntegerField(
        _("credits a purchase at most"),
        null=True,
        blank=True,
        help_text=_("A purchase that would earn more earns nothing and is looked at by a person."),
    )
    is_active = models.BooleanField(_("in force"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("earn policy")
        verbose_name_plural = _("earn policies")
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=models.Q(is_active=True),
                name="credits_earnpolicy_one_active",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EarnBonus(models.Model):
    """More for purchases of a time: 200 percent doubles what the rules give."""

    class Interval(models.TextChoices):
        DAY = "day", _("a day")
        MONTH = "month", _("a month")
        ALWAYS = "always", _("in all")

    name = models.CharField(_("name"), max_length=80)
    names = TextsField(
        _("names in other languages"),
        has_english=False, default=dict, db_default={}, blank=True,
    )  # fmt: skip
    percent = models.PositiveSmallIntegerField(
        _("percent"), default=200, validators=[MinValueValidator(101)]
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    minimum_amount = models.PositiveBigIntegerField(_("from an amount of"), default=0)
    times_max = models.PositiveSmallIntegerField(
        _("times for a member"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    times_per = models.CharField(
        _("in"), max_length=6, choices=Interval, default=Interval.ALWAYS
    )  # fmt: skip
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("earn bonus")
        verbose_name_plural = _("earn bonuses")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gt=100), name="credits_earnbonus_gives_more"
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at__lt=models.F("ends_at")),
                name="credits_earnbonus_window_forward",
            ),
            models.CheckConstraint(
                condition=models.Q(minimum_amount=0) | ~models.Q(currency=""),
                name="credits_earnbonus_minimum_has_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.minimum_amount and not self.currency:
            raise ValidationError({"currency": _("An amount needs a currency.")})


class EarnDecision(models.Model):
    """Why a charge earned what it did. Written once, in the commit that credits the charge."""

    class Reason(models.TextChoices):
        EARNED = "earned", _("earned")
        NO_RULE = "no_rule", _("no rule applies")
        TOO_SMALL = "too_small", _("too small for one credit")
        TRIMMED = "trimmed", _("trimmed by a cap")
        CAPPED = "capped", _("the cap was used up")
        REJECTED = "rejected", _("above the cap of a purchase")
        CLOSED = "closed", _("the account is closed")

    charge_id = models.UUIDField(primary_key=True)
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    # The member's own day of the purchase: caps and limits count by it.
    paid_on = models.DateField(_("day of purchase"))
    credits = models.PositiveIntegerField(_("credits"))
    reason = models.CharField(_("reason"), max_length=9, choices=Reason)
    # What gave what: [{"kind", "id", "name", "service", "credits"}], then what a cap took.
    parts = models.JSONField(default=list)
    trimmed = models.PositiveIntegerField(_("taken off by a cap"), default=0)
    cap = models.CharField(_("cap"), max_length=6, blank=True)
    decided_at = models.DateTimeField(_("decided"))

    class Meta:
        verbose_name = _("earn decision")
        verbose_name_plural = _("earn decisions")
        ordering = ["-charge_id"]
        indexes = [
            # What a member earned in a day or month, for caps and limits.
            models.Index(fields=["member", "paid_on"], name="credits_earndecision_usage"),
        ]

    def __str__(self) -> str:
        return f"{public_id_of('txn', self.charge_id)}: {self.credits}"
