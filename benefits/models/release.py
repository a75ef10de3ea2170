from functools import partial

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from benefits.models.kinds import DRAW_TICKET, WALLET_VOUCHER
from zone.core.ids import new_public_id


class Fulfilment(models.TextChoices):
    """Where the thing itself comes from."""

    CODES = "codes", _("codes in hand")
    PROVIDER = "provider", _("a provider, at claim time")
    CREDITS = "credits", _("credits, at once")
    DRAW = "draw", _("an entry in a draw, at once")


def check_source(made: "Release | DropSchedule") -> None:
    """Raises ValidationError for a source that cannot make this kind of benefit."""
    if made.benefit_id is None:
        return  # The form says so already.
    is_voucher = made.benefit.kind == WALLET_VOUCHER
    if is_voucher != (made.provider is not None and made.provider.is_wallet):
        raise ValidationError(
            {"provider": _("Vouchers in a wallet come from a wallet, and nothing else does.")}
        )
    if (made.benefit.kind == DRAW_TICKET) != (made.mode == Fulfilment.DRAW):
        raise ValidationError(
            {"mode": _("A draw ticket is an entry in a draw, and nothing else is one.")}
        )


class DropSchedule(models.Model):
    """A release every day at a set local time. The worker makes each one ahead of its hour."""

    benefit = models.ForeignKey(
        "benefits.Benefit", on_delete=models.PROTECT, related_name="schedules"
    )
    opens_at_local = models.TimeField(_("opens at, local time"))
    open_minutes = models.PositiveIntegerField(
        _("stays open, minutes"), default=24 * 60, validators=[MinValueValidator(1)]
    )
    time_zone = models.CharField(_("time zone"), max_length=40)
    mode = models.CharField(
        _("source"), max_length=8, choices=Fulfilment, default=Fulfilment.PROVIDER
    )
    provider = models.ForeignKey(
        "benefits.ProviderConfig", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    stock = models.PositiveIntegerField(_("units a day"), validators=[MinValueValidator(1)])
    price_credits = models.PositiveIntegerField(_("price in credits"), default=0)
    per_member = models.PositiveSmallIntegerField(_("per member"), default=1)
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    is_active = models.BooleanField(_("running"), default=True)

    class Meta:
        verbose_name = _("daily drop")
        verbose_name_plural = _("daily drops")
        constraints = [
            # Codes are loaded into one release; a day made by the clock has none to sell.
            models.CheckConstraint(
                condition=~models.Q(mode="codes"), name="benefits_dropschedule_no_codes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.opens_at_local:%H:%M} {self.time_zone}"

    def clean(self) -> None:
        check_source(self)


class Release(models.Model):
    """A numbered quantity of a benefit with a window: slots 1 to `last_slot`, `stock` of them sold.

    Stock is changed by the stock service alone, together with the counters.
    """

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "rel"), editable=False
    )
    benefit = models.ForeignKey(
        "benefits.Benefit",
        on_delete=models.PROTECT,  # Claims and codes hang on it.
        related_name="releases",
    )
    mode = models.CharField(_("source"), max_length=8, choices=Fulfilment)
    provider = models.ForeignKey(
        "benefits.ProviderConfig",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="releases",
        verbose_name=_("provider"),
    )
    schedule = models.ForeignKey(
        DropSchedule, on_delete=models.PROTECT, null=True, related_name="releases", editable=False
    )
    drop_on = models.DateField(null=True, editable=False)
    stock = models.PositiveIntegerField(_("stock"), default=0, editable=False)
    # The highest slot number ever given out to a counter; lowering stock leaves it.
    last_slot = models.PositiveIntegerField(default=0, editable=False)
    price_credits = models.PositiveIntegerField(_("price in credits"), default=0)
    per_member = models.PositiveSmallIntegerField(
        _("per member"), default=1, validators=[MinValueValidator(1)]
    )
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    # A kept batch goes on sale by itself below this share of the stock; 0: never.
    refill_percent = models.PositiveSmallIntegerField(
        _("open kept codes below, per cent"),
        default=20,
        db_default=20,
        validators=[MaxValueValidator(100)],
    )
    # A rush is expected: requests pass an admission gate before they reach the database.
    is_hot = models.BooleanField(_("rush expected"), default=False)
    livemode = models.BooleanField(_("live mode"), default=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = ["opens_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "drop_on"], name="benefits_release_one_per_drop_day"
            ),
            models.CheckConstraint(
                condition=models.Q(closes_at__isnull=True)
                | models.Q(closes_at__gt=models.F("opens_at")),
                name="benefits_release_window",
            ),
            models.CheckConstraint(
                condition=models.Q(stock__lte=models.F("last_slot")),
                name="benefits_release_stock_numbered",
            ),
            models.CheckConstraint(
                condition=models.Q(mode="provider", provider__isnull=False)
                | (~models.Q(mode="provider") & models.Q(provider__isnull=True)),
                name="benefits_release_provider",
            ),
            models.CheckConstraint(
                condition=models.Q(per_member__gte=1), name="benefits_release_per_member"
            ),
            # Credits never buy credits.
            models.CheckConstraint(
                condition=~models.Q(mode="credits") | models.Q(price_credits=0),
                name="benefits_release_credits_are_free",
            ),
        ]
        indexes = [
            # The open or next release of each benefit on a catalogue page.
            models.Index(fields=["benefit", "closes_at"], name="benefits_release_of_benefit"),
        ]

    def __str__(self) -> str:
        return self.public_id

    def clean(self) -> None:
        check_source(self)
        self._keep_to_its_draw()

    def _keep_to_its_draw(self) -> None:
        """Whoever is in a draw entered on what the prize cost then, and on how often one may win."""
        drawn = type(self).objects.filter(
            pk=self.pk, draw__state__in=("open", "closed", "drawing")
        )  # fmt: skip
        was = drawn.first()
        if was is not None and self.price_credits > was.price_credits:
            text = _("A draw is announced: what it costs to win does not rise.")
            raise ValidationError({"price_credits": text})
        if was is not None and self.per_member < was.per_member:
            text = _("A draw is announced: how often one may win does not fall.")
            raise ValidationError({"per_member": text})


class SlotCounter(models.Model):
    """A contiguous range of a release's slots and the next one to give out.

    Many rows share a release so that many claims can take a slot at once; each range is used up
    from the front. A range is never refilled: raising the stock adds new ones.
    """

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="counters")
    number = models.PositiveIntegerField()
    next_slot = models.PositiveIntegerField()
    end_slot = models.PositiveIntegerField()  # The last one of the range, itself included.
    # Codes with an end are sold only while enough of their life is left.
    sells_until = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("slot counter")
        verbose_name_plural = _("slot counters")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "number"], name="benefits_slotcounter_number"
            ),
            models.CheckConstraint(
                condition=models.Q(next_slot__gte=1)
                & models.Q(next_slot__lte=models.F("end_slot") + 1),
                name="benefits_slotcounter_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.next_slot}-{self.end_slot}"

    @property
    def left(self) -> int:
        return (self.end_slot or 0) - (self.next_slot or 1) + 1  # Nothing of a row in a form.


class ReturnedSlot(models.Model):
    """A slot that came back unseen from a failed or returned claim. Taking it deletes the row."""

    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="returned_slots")
    slot = models.PositiveIntegerField()
    # Whoever waits in line is offered it in the same commit; nobody else can take it then.
    offered_to = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, null=True, related_name="+"
    )
    offered_until = models.DateTimeField(null=True)
    sells_until = models.DateTimeField(null=True)
    returned_at = models.DateTimeField()

    class Meta:
        verbose_name = _("returned slot")
        verbose_name_plural = _("returned slots")
        constraints = [
            models.UniqueConstraint(fields=["release", "slot"], name="benefits_returnedslot_once"),
            models.UniqueConstraint(
                fields=["release", "offered_to"],
                name="benefits_returnedslot_one_offer",
                condition=models.Q(offered_to__isnull=False),
            ),
            models.CheckConstraint(
                condition=models.Q(offered_to__isnull=True) | models.Q(offered_until__isnull=False),
                name="benefits_returnedslot_offer_ends",
            ),
        ]

    def __str__(self) -> str:
        return str(self.slot)
