"""What Apple took through the wallet, and what it gave back.

A transaction on a page is a charge or a refund. Both carry a UUIDv7 (RFC 9562, section 5.7) made
from the moment the money moved, so one key orders a statement, finds the month's partition and,
written in base32, is the public id.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import public_id_of
from zone.history.naming import product_name


class Service(models.TextChoices):
    """What a line was for. The wallet may name services that we do not know yet."""

    APP_STORE = "app_store", _("App Store")
    IN_APP = "in_app", _("In-app purchase")
    APPLE_MUSIC = "apple_music", "Apple Music"
    ICLOUD_PLUS = "icloud_plus", "iCloud+"
    OTHER = "other", _("Other")


class Charge(models.Model):
    """One debit of the wallet by Apple. It may hold several purchases, or not say what it was for.

    The table is partitioned by month of `paid_at`, through its key; SQL makes it. Facts never
    change: a refund raises `refunded`, and earning credits fills the three columns at the end.
    """

    class Status(models.TextChoices):
        PROCESSING = "processing", _("processing")
        SUCCEEDED = "succeeded", _("paid")
        FAILED = "failed", _("failed")
        CANCELED = "canceled", _("canceled")

    id = models.UUIDField(primary_key=True, editable=False)
    wallet = models.ForeignKey(
        "members.Wallet", on_delete=models.PROTECT, related_name="+"  # Trade records stay.
    )  # fmt: skip
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="charges"  # Trade records stay.
    )  # fmt: skip
    # The wallet's number for this debit; Apple's own order number may come beside it.
    bill_no = models.CharField(_("transaction number"), max_length=64)
    order_no = models.CharField(_("order number"), max_length=64, blank=True)
    merchant_reference = models.CharField(max_length=64, blank=True)
    merchant_name = models.CharField(_("merchant"), max_length=128, blank=True)
    amount = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    refunded = models.BigIntegerField(_("refunded"), default=0)
    # Of `amount`, by what the lines say; the rest is not explained.
    subscription_amount = models.BigIntegerField(default=0)
    app_amount = models.BigIntegerField(default=0)
    # Whether the lines add up to `amount`; lines that do not are kept and not counted.
    has_sound_lines = models.BooleanField(default=True)
    paid_at = models.DateTimeField(_("paid"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.SUCCEEDED
    )  # fmt: skip
    created_at = models.DateTimeField()
    # Written once, by whoever turns charges into credits.
    credited_at = models.DateTimeField(null=True)
    credits_earned = models.BigIntegerField(null=True)
    earn_op_id = models.UUIDField(null=True)

    class Meta:
        managed = False
        db_table = "history_charge"
        verbose_name = _("charge")
        verbose_name_plural = _("charges")

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return public_id_of("txn", self.id)

    @property
    def is_refunded(self) -> bool:
        return 0 < self.amount == self.refunded


class ChargeLine(models.Model):
    """One purchase inside a charge, when the wallet tells. Partitioned beside its charge."""

    pk = models.CompositePrimaryKey("charge_id", "line_no")
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="lines")
    line_no = models.PositiveSmallIntegerField()
    service = models.CharField(max_length=24)
    title = models.CharField(max_length=200)
    amount = models.BigIntegerField()
    is_recurring = models.BooleanField(default=False)
    # The wallet's name for the subscription that this line renewed.
    subscription_reference = models.CharField(max_length=64, blank=True)

    class Meta:
        managed = False
        db_table = "history_charge_line"
        verbose_name = _("charge line")
        verbose_name_plural = _("charge lines")
        ordering = ["charge_id", "line_no"]

    def __str__(self) -> str:
        return f"{self.charge_id} line {self.line_no}"

    @property
    def name(self) -> str:
        return product_name(self.service, self.title)


class Refund(models.Model):
    """Money that came back for a charge, whole or in part.

    It may arrive before its charge: then it is parked, has no charge, and is applied by the
    charge's own arrival. A parked refund that turns out not to fit its charge is refused.
    """

    class State(models.TextChoices):
        PARKED = "parked", _("waiting for its charge")
        APPLIED = "applied", _("applied")
        REFUSED = "refused", _("does not fit its charge")

    id = models.UUIDField(primary_key=True, editable=False)
    wallet = models.ForeignKey("members.Wallet", on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="refunds", db_index=False
    )
    charge = models.ForeignKey(
        Charge, on_delete=models.PROTECT, null=True, related_name="refunds"
    )  # fmt: skip
    bill_no = models.CharField(_("transaction number"), max_length=64)
    refund_no = models.CharField(_("refund number"), max_length=64, blank=True)
    amount = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    refunded_at = models.DateTimeField(_("refunded"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PARKED)
    created_at = models.DateTimeField()
    # Written once, by whoever takes earned credits back.
    credited_at = models.DateTimeField(null=True)
    credits_taken = models.BigIntegerField(null=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        indexes = [
            # A member's statement, newest first.
            models.Index(fields=["member", "-id"], name="history_refund_statement"),
            # A charge that arrives looks for the refunds that came before it.
            models.Index(
                fields=["wallet", "bill_no"],
                name="history_refund_parked",
                condition=models.Q(state="parked"),
            ),
            # The drain that takes credits back.
            models.Index(
                fields=["id"],
                name="history_refund_uncredited",
                condition=models.Q(credited_at__isnull=True, state="applied"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="history_refund_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(state="applied", charge__isnull=False)
                | ~models.Q(state="applied"),
                name="history_refund_applied_has_charge",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return public_id_of("txn", self.id)
