"""Subscriptions at Apple as the wallet tells of them. They live, change and end at Apple."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import public_id_of
from zone.history.naming import product_name


class Subscription(models.Model):
    """What the newest event said; an older one that comes late changes nothing here.

    Status names are ours for the numbers of Apple's App Store Server API (`Status`).
    """

    class Status(models.TextChoices):
        TRIAL = "trial", _("free trial")
        ACTIVE = "active", _("active")
        CANCEL_SCHEDULED = "cancel_scheduled", _("ends soon")
        GRACE = "grace", _("payment due")
        RETRY = "retry", _("payment failed")
        EXPIRED = "expired", _("ended")
        REVOKED = "revoked", _("withdrawn")

    class Source(models.TextChoices):
        FEED = "feed", _("told by the wallet")
        INFERRED = "inferred", _("looks like a subscription")

    OPEN_STATUSES = (
        Status.TRIAL, Status.ACTIVE, Status.CANCEL_SCHEDULED, Status.GRACE, Status.RETRY,
    )  # fmt: skip
    # Those that Apple will charge for again.
    RENEWING_STATUSES = (Status.TRIAL, Status.ACTIVE, Status.GRACE, Status.RETRY)

    id = models.UUIDField(primary_key=True, editable=False)
    wallet = models.ForeignKey("members.Wallet", on_delete=models.PROTECT, related_name="+")
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="subscriptions", db_index=False
    )
    reference = models.CharField(_("reference"), max_length=64)
    service = models.CharField(_("service"), max_length=24)
    plan = models.CharField(_("plan"), max_length=120, blank=True)
    status = models.CharField(_("status"), max_length=16, choices=Status)
    is_trial = models.BooleanField(_("trial"), default=False)
    # What the next renewal costs.
    price = models.BigIntegerField(_("price"))
    currency = models.CharField(_("currency"), max_length=3)
    # ISO 8601 duration, empty until known.
    period = models.CharField(_("period"), max_length=8, blank=True)
    # When the paid or free time ends: the next charge, or the last day.
    period_ends_at = models.DateTimeField(_("period ends"))
    # Apple's reason for an end: 1 canceled, 2 billing, 3 price, 4 product gone, 5 other.
    expiration_intent = models.PositiveSmallIntegerField(null=True)
    storefront = models.CharField(max_length=3, blank=True)
    source = models.CharField(_("source"), max_length=8, choices=Source, default=Source.FEED)
    # The newest applied event: its time, then its reference when two share an instant.
    occurred_at = models.DateTimeField(_("newest event"))
    event_reference = models.CharField(max_length=64)
    started_at = models.DateTimeField(_("first seen"))
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "reference"], name="history_subscription_once"
            ),
            models.CheckConstraint(
                condition=models.Q(price__gte=0), name="history_subscription_price"
            ),
        ]
        indexes = [
            # A member's subscriptions by next date: list, calendar, "the next seven days".
            models.Index(fields=["member", "period_ends_at"], name="history_subscription_next"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        return public_id_of("sub", self.id)

    @property
    def name(self) -> str:
        return product_name(self.service, self.plan)

    @property
    def is_renewing(self) -> bool:
        return self.status in self.RENEWING_STATUSES


class SubscriptionEvent(models.Model):
    """One message about a subscription, as it was said. Partitioned by month of `occurred_at`."""

    id = models.UUIDField(primary_key=True, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="events"
    )  # fmt: skip
    event_reference = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Subscription.Status)
    is_trial = models.BooleanField(default=False)
    plan = models.CharField(max_length=120, blank=True)
    price = models.BigIntegerField()
    period_ends_at = models.DateTimeField()
    expiration_intent = models.PositiveSmallIntegerField(null=True)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "history_subscription_event"
        verbose_name = _("subscription event")
        verbose_name_plural = _("subscription events")

    def __str__(self) -> str:
        return self.event_reference


class PricePoint(models.Model):
    """The price of a subscription from one moment on, until the next point."""

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="price_points", db_index=False
    )
    price = models.BigIntegerField(_("price"))
    currency = models.CharField(_("currency"), max_length=3)
    effective_at = models.DateTimeField(_("from"))

    class Meta:
        verbose_name = _("price point")
        verbose_name_plural = _("price points")
        ordering = ["effective_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription", "effective_at"], name="history_pricepoint_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.price} {self.currency}"
