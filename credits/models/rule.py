from django.db import models
from django.utils.translation import gettext_lazy as _


class EarnRule(models.Model):
    """How many credits a purchase is worth, while its window is open.

    Of the rules for each purchase, the one that gives most counts; a rule for one service counts
    for what was bought there. What a first purchase or a renewal gives comes on top.
    """

    class Kind(models.TextChoices):
        PURCHASE = "purchase", _("each purchase")
        FIRST = "first", _("a member's first purchase, on top")
        RENEWAL = "renewal", _("renewals of subscriptions, on top")

    class Rounding(models.TextChoices):
        DOWN = "down", _("down")
        UP = "up", _("up")
        NEAREST = "nearest", _("to the nearest, halves up")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.PURCHASE)
    name = models.CharField(_("name"), max_length=80)
    currency = models.CharField(_("currency"), max_length=3)
    # As charge lines spell it ("icloud_plus"); empty for whatever was bought.
    service = models.CharField(_("service"), max_length=24, blank=True)
    minimum_amount = models.PositiveBigIntegerField(_("from (minor units)"), default=0)
    is_flat = models.BooleanField(
        _("flat"), default=False, help_text=_("Gives the credits once, whatever the amount.")
    )
    # `credits` for every `unit_amount` minor units: 1 for every 100 fen.
    unit_amount = models.PositiveIntegerField(_("for every (minor units)"))
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
