from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.wording import TextsField
from zone.members.models import Wallet


class EarnRule(models.Model):
    """How many credits a purchase is worth, or something else that happened, in its window.

    Of the rules for each purchase, the one that gives most counts; a rule for one service counts
    for what was bought there. What a first purchase or a renewal gives comes on top. Whatever is no
    purchase gives a fixed number of credits, by the one rule that gives most.
    """

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("each purchase")
        FIRST = "first", _("a member's first purchase, on top")
        RENEWAL = "renewal", _("renewals of subscriptions, on top")
        BINDING = "binding", _("linking the wallet for the first time")
        MISSION = "mission", _("a mission, on top of its reward")
        STREAK = "streak", _("days of a check-in streak, on top")
        REFERRAL = "referral", _("a friend’s first purchase")

    # What gives for something that is no purchase: no money in it, so no currency is needed.
    EVENT_KINDS = (Kind.BINDING, Kind.MISSION, Kind.STREAK, Kind.REFERRAL)

    class Rounding(models.TextChoices):
        DOWN = "down", _("down")
        UP = "up", _("up")
        NEAREST = "nearest", _("to the nearest, halves up")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.PURCHASE)
    name = models.CharField(_("name"), max_length=80)
    names = TextsField(
        _("names in other languages"),
        has_english=False, default=dict, db_default={}, blank=True,
    )  # fmt: skip
    currency = models.CharField(
        _("currency"),
        max_length=3,
        blank=True,
        help_text=_("For what is no purchase: the wallet’s currency, or empty for all wallets."),
    )
    # As charge lines spell it ("icloud_plus"); empty for whatever was bought.
    service = models.CharField(
        _("service"), max_length=60, blank=True, help_text=_("For a mission: its address.")
    )
    every = models.PositiveSmallIntegerField(
        _("every"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1)],
        help_text=_("For streaks: 7 gives on the 7th day, the 14th and so on."),
    )
    minimum_amount = models.PositiveBigIntegerField(_("from an amount of"), default=0)
    is_flat = models.BooleanField(
        _("flat"), default=False, help_text=_("Gives the credits once, whatever the amount.")
    )
    # `credits` for every `unit_amount` minor units: 1 for every 100 fen.
    unit_amount = models.PositiveIntegerField(_("for every"))
    credits = models.PositiveIntegerField(_("credits"))
    rounding = models.CharField(
        _("rounding"), max_length=8, choices=Rounding, default=Rounding.DOWN
    )
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("earn rule")
        verbose_name_plural = _("earn rules")
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(currency="")
                | models.Q(kind__in=["binding", "mission", "streak", "referral"]),
                name="credits_earnrule_purchase_has_currency",
            ),
            # No purchase, no amount to take a share of; and nothing is bought with credits twice.
            models.CheckConstraint(
                condition=models.Q(is_flat=True)
                | ~models.Q(kind__in=["binding", "mission", "streak", "referral"]),
                name="credits_earnrule_event_is_flat",
            ),
            models.CheckConstraint(
                condition=models.Q(every__gte=1) & (models.Q(every=1) | models.Q(kind="streak")),
                name="credits_earnrule_every_of_streak",
            ),
            models.CheckConstraint(
                condition=models.Q(unit_amount__gt=0), name="credits_earnrule_unit_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(starts_at__isnull=True)
                | models.Q(ends_at__isnull=True)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="credits_earnrule_window_forward",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_for_events(self) -> bool:
        return self.kind in self.EVENT_KINDS

    def clean(self) -> None:
        """Refuse what would never give, or give for what credits paid: a closed loop."""
        if self.is_for_events and not self.is_flat:
            raise ValidationError({"is_flat": _("What is no purchase gives a fixed number.")})
        if not self.is_for_events and not self.currency:
            raise ValidationError({"currency": _("A purchase has a currency.")})
        if self.every != 1 and self.kind != self.Kind.STREAK:
            raise ValidationError({"every": _("Only streaks are counted.")})
        if self.currency and not Wallet.objects.filter(currency=self.currency).exists():
            raise ValidationError(
                {
                    "currency": _(
                        "No wallet pays in it. What was paid for with credits earns no credits."
                    )
                }
            )
