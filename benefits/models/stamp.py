"""Stamps: collected by purchases or check-ins, swapped for a benefit of one's choice."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from benefits.models.kinds import DRAW_TICKET
from zone.core.wording import TextsField, text_in


class StampBoard(models.Model):
    """What gives a stamp, how many may come in a day and a month, and how many make a swap."""

    class Metric(models.TextChoices):
        PURCHASES = "purchases", _("purchases made")
        CHECK_INS = "check_ins", _("days checked in")

    slug = models.SlugField(_("address"), max_length=60, unique=True)
    # {"en": "Coffee card", "zh-hans": "咖啡卡"}
    names = TextsField(_("names by language"))
    metric = models.CharField(_("counts"), max_length=9, choices=Metric, default=Metric.PURCHASES)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    minimum_amount = models.PositiveBigIntegerField(_("from an amount of"), default=0)
    needed = models.PositiveSmallIntegerField(
        _("stamps for a swap"), default=6, validators=[MinValueValidator(1)]
    )
    day_cap = models.PositiveSmallIntegerField(
        _("stamps a day at most"), default=1, validators=[MinValueValidator(1)]
    )
    month_cap = models.PositiveSmallIntegerField(
        _("stamps a month at most"), default=6, validators=[MinValueValidator(1)]
    )
    livemode = models.BooleanField(_("live mode"), default=True)
    starts_at = models.DateTimeField(_("starts"))
    # After it nothing new is collected; what was collected can still be swapped.
    ends_at = models.DateTimeField(_("ends"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("stamp board")
        verbose_name_plural = _("stamp boards")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(needed__gte=1, day_cap__gte=1, month_cap__gte=1),
                name="benefits_stampboard_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__isnull=True)
                | models.Q(starts_at__lt=models.F("ends_at")),
                name="benefits_stampboard_window_forward",
            ),
            models.CheckConstraint(
                condition=models.Q(minimum_amount=0) | ~models.Q(currency=""),
                name="benefits_stampboard_minimum_has_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def name(self) -> str:
        return text_in(self.names, otherwise=self.slug)

    def clean(self) -> None:
        if self.minimum_amount and not self.currency:
            raise ValidationError({"currency": _("An amount needs a currency.")})


class StampChoice(models.Model):
    """One of the benefits a full board swaps for. Its price is stamps, never credits."""

    board = models.ForeignKey(StampBoard, on_delete=models.CASCADE, related_name="choices")
    benefit = models.ForeignKey(
        "benefits.Benefit", on_delete=models.PROTECT, related_name="stamp_choices"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=1)

    class Meta:
        verbose_name = _("choice of a stamp board")
        verbose_name_plural = _("choices of a stamp board")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["board", "benefit"], name="benefits_stampchoice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.board_id}: {self.benefit_id}"

    def clean(self) -> None:
        """Stamps and credits are two currencies: one never pays the other's price.

        What a draw ticket cost comes back when its draw is called off, and spent stamps do not.
        """
        if self.benefit_id is None:
            return
        if self.benefit.kind == DRAW_TICKET:
            text = _(
                "Spent stamps do not come back, and a ticket's price must when its draw is off."
            )
            raise ValidationError({"benefit": text})
        is_priced = (
            self.benefit.price_credits > 0
            or self.benefit.releases.filter(price_credits__gt=0).exists()
            or self.benefit.price_rows.filter(price_credits__gt=0).exists()
        )
        if is_priced:
            raise ValidationError(
                {"benefit": _("This benefit has a price in credits. Stamps cannot pay it.")}
            )


class StampSwap(models.Model):
    """Stamps given for a benefit, once for each press of the button."""

    board = models.ForeignKey(StampBoard, on_delete=models.PROTECT, related_name="swaps")
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    op_id = models.UUIDField(editable=False)
    claim = models.OneToOneField(
        "benefits.Claim", on_delete=models.PROTECT, related_name="stamp_swap"
    )
    stamps = models.PositiveSmallIntegerField(_("stamps"))
    created_at = models.DateTimeField(_("swapped"))

    class Meta:
        verbose_name = _("stamp swap")
        verbose_name_plural = _("stamp swaps")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["member", "op_id"], name="benefits_stampswap_once"),
        ]

    def __str__(self) -> str:
        return f"{self.board_id} {self.claim_id}"


class Stamp(models.Model):
    """One stamp of a member on a board, for one purchase or one day.

    Its numbers of the day and of the month are unique and at most the cap it was given under: so
    the database itself keeps the caps, however many ask at once.
    """

    board = models.ForeignKey(StampBoard, on_delete=models.PROTECT, related_name="stamps")
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    # The purchase or the day that it is for.
    source = models.CharField(_("source"), max_length=40)
    on = models.DateField(_("day"))
    month_on = models.DateField(_("month"))
    nth_of_day = models.PositiveSmallIntegerField()
    nth_of_month = models.PositiveSmallIntegerField()
    day_cap = models.PositiveSmallIntegerField()
    month_cap = models.PositiveSmallIntegerField()
    swap = models.ForeignKey(
        StampSwap, on_delete=models.PROTECT, null=True, related_name="spent_stamps"
    )
    # The purchase was refunded before it was swapped; its place in the caps stays taken.
    voided_at = models.DateTimeField(_("voided"), null=True)
    created_at = models.DateTimeField(_("collected"))

    class Meta:
        verbose_name = _("stamp")
        verbose_name_plural = _("stamps")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["member", "board", "source"], name="benefits_stamp_once"
            ),
            models.UniqueConstraint(
                fields=["member", "board", "on", "nth_of_day"], name="benefits_stamp_of_day"
            ),
            models.UniqueConstraint(
                fields=["member", "board", "month_on", "nth_of_month"],
                name="benefits_stamp_of_month",
            ),
            models.CheckConstraint(
                condition=models.Q(nth_of_day__gte=1, nth_of_month__gte=1)
                & models.Q(nth_of_day__lte=models.F("day_cap"))
                & models.Q(nth_of_month__lte=models.F("month_cap")),
                name="benefits_stamp_within_caps",
            ),
            models.CheckConstraint(
                condition=models.Q(swap__isnull=True) | models.Q(voided_at__isnull=True),
                name="benefits_stamp_spent_or_void",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.on}"
