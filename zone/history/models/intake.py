"""What the wallet sent: once each, and what could not be placed.

Every message first takes its key here. The key holds the facts that a repeat must agree with, so
telling a repeat from a contradiction reads one row and no partition.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MessageKey(models.Model):
    """The facts common to every key: who and how much, as the first message said."""

    wallet = models.ForeignKey(
        "members.Wallet", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # Blind index of the wallet's user id: equal exactly when the user is.
    user_index = models.BinaryField(max_length=32, editable=False)
    occurred_at = models.DateTimeField()
    # Null while the message waits for its user, see UnlinkedMessage.
    row_id = models.UUIDField(null=True)

    class Meta:
        abstract = True


class ChargeKey(MessageKey):
    pk = models.CompositePrimaryKey("wallet_id", "bill_no")
    bill_no = models.CharField(max_length=64)
    amount = models.BigIntegerField()

    class Meta:
        db_table = "history_charge_key"

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.bill_no}"


class RefundKey(MessageKey):
    """`refund_reference` is the wallet's refund number, or time and amount when it gives none.

    Two equal partial refunds in the same second without a number cannot be told apart.
    """

    pk = models.CompositePrimaryKey("wallet_id", "bill_no", "refund_reference")
    bill_no = models.CharField(max_length=64)
    refund_reference = models.CharField(max_length=80)
    amount = models.BigIntegerField()
    # Whether it takes part in "refunds never exceed the charge"; a refused one does not.
    is_counted = models.BooleanField(default=True)

    class Meta:
        db_table = "history_refund_key"

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.bill_no} {self.refund_reference}"


class SubscriptionEventKey(MessageKey):
    pk = models.CompositePrimaryKey("wallet_id", "event_reference")
    event_reference = models.CharField(max_length=64)
    # SHA-256 of everything the event says.
    fingerprint = models.BinaryField(max_length=32)

    class Meta:
        db_table = "history_subscription_event_key"

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.event_reference}"


class UnlinkedMessage(models.Model):
    """A good message for a user the portal does not know yet, kept 30 days.

    Its key is taken already. When the user is known, the message is stored like any other and
    this row goes away; when nobody comes, row and key go together.
    """

    wallet = models.ForeignKey(
        "members.Wallet", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    user_index = models.BinaryField(max_length=32, editable=False)
    path = models.CharField(_("path"), max_length=40)
    reference = models.CharField(_("reference"), max_length=160)
    # As sent, the user id masked.
    body = models.JSONField(_("message"))
    received_at = models.DateTimeField(_("received"))
    expires_at = models.DateTimeField(_("kept until"))

    class Meta:
        verbose_name = _("unlinked message")
        verbose_name_plural = _("unlinked messages")
        indexes = [
            # Sign-in asks whether anything waits for this user; the sweep joins on it.
            models.Index(fields=["wallet", "user_index"], name="history_unlinked_user"),
            models.Index(fields=["expires_at"], name="history_unlinked_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.reference}"


class RejectedMessage(models.Model):
    """A message that was refused, once each, for an operator to take up with the wallet."""

    class Outcome(models.TextChoices):
        ILLEGAL = "illegal", _("illegal")
        INCONSISTENT = "inconsistent", _("inconsistent")

    wallet = models.ForeignKey("members.Wallet", on_delete=models.PROTECT, related_name="+")
    path = models.CharField(_("path"), max_length=40)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome)
    reason = models.CharField(_("reason"), max_length=200)
    reference = models.CharField(_("reference"), max_length=160, blank=True)
    # As sent, the user id masked; null when it was no JSON object.
    body = models.JSONField(_("message"), null=True)
    body_hash = models.BinaryField(max_length=32, editable=False)
    received_at = models.DateTimeField(_("received"))
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    reviewed_by = models.CharField(_("reviewed by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("rejected message")
        verbose_name_plural = _("rejected messages")
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "path", "outcome", "body_hash"],
                name="history_rejected_once",
            ),
        ]
        indexes = [
            # The operators' board of what nobody has looked at.
            models.Index(
                fields=["-received_at"],
                name="history_rejected_open",
                condition=models.Q(reviewed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.reference}"
