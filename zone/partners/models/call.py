"""What the API remembers about calls: answers by key, references, and counted windows."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class IdempotencyRecord(models.Model):
    """The one attempt behind an Idempotency-Key, with the answer it got.

    Written in the transaction of the effect: while that runs the row is invisible, afterwards
    the outcome is final. `fingerprint` is keyed, because a body may hold a coupon code that a
    bare hash would let somebody guess.
    """

    partner = models.ForeignKey("partners.Partner", on_delete=models.CASCADE, related_name="+")
    livemode = models.BooleanField()
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    # Null only inside the transaction that is still deciding.
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=40, blank=True)
    body = models.BinaryField(default=b"")
    # Answers that carry a secret are kept under the key-encryption key.
    is_sealed = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "livemode", "key"], name="partners_idempotencyrecord_once"
            ),
        ]
        indexes = [
            # The sweep deletes what is past its 72 hours.
            models.Index(fields=["expires_at"], name="partners_idempotency_expiry"),
        ]

    def __str__(self) -> str:
        return f"answer {self.pk}"


class PartnerReference(models.Model):
    """A partner's own name for something it caused: unique per partner, mode and kind.

    It outlives the idempotency key, and it keeps the operation id that the effect was posted
    under, so the same order sent next year still meets its first result.
    """

    partner = models.ForeignKey("partners.Partner", on_delete=models.PROTECT, related_name="+")
    livemode = models.BooleanField()
    kind = models.CharField(max_length=16)
    external_id = models.CharField(max_length=64)
    # The member's own key. No foreign key: members live in a room above this one.
    member_id = models.BigIntegerField()
    op_id = models.UUIDField()
    object_id = models.CharField(max_length=64, blank=True)
    fingerprint = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("partner reference")
        verbose_name_plural = _("partner references")
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "livemode", "kind", "external_id"],
                name="partners_partnerreference_once",
            ),
        ]
        indexes = [
            # An object's reference is printed with the object; `op_id` finds it from the ledger.
            models.Index(fields=["object_id"], name="partners_reference_object"),
            models.Index(fields=["op_id"], name="partners_reference_op"),
            # Whoever is forgotten is forgotten here too.
            models.Index(fields=["member_id"], name="partners_reference_member"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.external_id}"


class RateWindow(models.Model):
    """How often a subject acted in its current window, where Redis cannot be the judge."""

    policy = models.CharField(max_length=16)
    subject = models.CharField(max_length=96)
    started_at = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("rate window")
        verbose_name_plural = _("rate windows")
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "subject"], name="partners_ratewindow_subject"
            ),
        ]
        indexes = [
            # The sweep deletes windows that ended long ago.
            models.Index(fields=["started_at"], name="partners_ratewindow_started"),
        ]

    def __str__(self) -> str:
        return f"{self.policy} {self.subject}"
