from datetime import datetime
from functools import partial

from django.db import models
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from benefits.models.release import Fulfilment
from zone.core.ids import new_public_id

# What a member's limit counts: what they hold, and what they claimed and gave away.
COUNTED = models.Q(counts_to_limit=True) & (models.Q(holds_slot=True) | models.Q(state="gifted"))


class Claim(models.Model):
    """A member's own unit of a release: what was promised, what was paid, where it stands.

    While `reserved` the row is its own message: `next_attempt_at`, lease and attempts say what a
    worker does next. Price, limit and terms are copies from the moment of the claim.
    """

    class State(models.TextChoices):
        RESERVED = "reserved", _("being prepared")
        GRANTED = "granted", _("granted")
        REDEEMED = "redeemed", _("used")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("expired")
        REVOKED = "revoked", _("revoked")
        RETURNED = "returned", _("returned")
        GIFTED = "gifted", _("given away")

    class ProviderStatus(models.TextChoices):
        NONE = "", _("not asked")
        ASKING = "asking", _("being asked")
        UNKNOWN = "unknown", _("no answer: ask about it")
        SILENT = "silent", _("no answer for long: an operator must look")
        ISSUED = "issued", _("issued")
        REFUSED = "refused", _("refused")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "clm"), editable=False
    )
    # Without an index of its own: `benefits_claim_of_member` begins with the member.
    member = models.ForeignKey(
        "members.Member", on_delete=models.PROTECT, related_name="claims", db_index=False
    )
    # Found by their own index: the claims of a release (rescues, reports, its deletion) and of a
    # benefit (the console's list, a choice's rivals). Nobody looks for the claims of some terms.
    # No foreign-key check on these: every claim of a drop would lock the same three rows. They
    # cannot be deleted while a claim names them (a trigger), and nothing else writes claims.
    release = models.ForeignKey(
        "benefits.Release", on_delete=models.PROTECT, related_name="claims", db_constraint=False
    )
    benefit = models.ForeignKey(
        "benefits.Benefit", on_delete=models.PROTECT, related_name="claims", db_constraint=False
    )
    terms = models.ForeignKey(
        "benefits.BenefitTerms",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    slot = models.PositiveIntegerField()
    nth = models.PositiveSmallIntegerField()
    op_id = models.UUIDField(editable=False)
    mode = models.CharField(max_length=8, choices=Fulfilment)
    state = models.CharField(max_length=10, choices=State)
    holds_slot = models.BooleanField(default=True)
    # False for a gift: it takes nothing from its receiver's limit. Who gave it away keeps counting.
    counts_to_limit = models.BooleanField(default=True, db_default=True)
    price_credits = models.PositiveIntegerField(default=0)
    per_member = models.PositiveSmallIntegerField(default=1)
    livemode = models.BooleanField(default=True)
    # In how many windows of limits it counts, and what a budget bore for it; null: made without.
    window_count = models.PositiveSmallIntegerField(null=True)
    budget_cost = models.PositiveBigIntegerField(null=True)
    # A claim that was taken away and replaced; what it cost stays with the first one.
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )
    # Waiting work.
    provider_status = models.CharField(
        max_length=8, choices=ProviderStatus, default=ProviderStatus.NONE, blank=True
    )
    provider_reference = models.CharField(max_length=80, null=True)
    next_attempt_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Moments.
    created_at = models.DateTimeField(db_default=Now())
    granted_at = models.DateTimeField(null=True)
    revealed_at = models.DateTimeField(null=True)
    redeemed_at = models.DateTimeField(null=True)
    # Only of a changed choice: the first one's time for undoing, which a change does not renew.
    undo_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # failed, expired, revoked, returned or given away
    valid_from = models.DateTimeField(null=True)
    valid_until = models.DateTimeField(null=True)
    # Set while a gift of it is under way; the gift keeps the end it had, and its life stands still.
    frozen_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())
    reminded_at = models.DateTimeField(null=True)
    failure_code = models.CharField(max_length=40, blank=True, default="")
    # Set when a partner asked for it.
    partner_id = models.BigIntegerField(null=True)
    external_id = models.CharField(max_length=64, null=True)
    metadata = models.JSONField(null=True)

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        permissions = [("revoke_claim", "Can take a claim away")]
        constraints = [
            models.UniqueConstraint(fields=["member", "op_id"], name="benefits_claim_op_once"),
            models.UniqueConstraint(
                fields=["release", "slot"],
                condition=models.Q(holds_slot=True),
                name="benefits_claim_slot_once",
            ),
            models.UniqueConstraint(
                fields=["release", "member", "nth"],
                condition=COUNTED,
                name="benefits_claim_nth_once",
            ),
            models.CheckConstraint(
                condition=models.Q(nth__gte=1) & models.Q(nth__lte=models.F("per_member")),
                name="benefits_claim_within_limit",
            ),
            models.CheckConstraint(
                condition=models.Q(state="reserved", next_attempt_at__isnull=False)
                | (~models.Q(state="reserved") & models.Q(next_attempt_at__isnull=True)),
                name="benefits_claim_waits_only_reserved",
            ),
            # On its way to somebody: whole, unseen, and without an end.
            models.CheckConstraint(
                condition=models.Q(frozen_at__isnull=True)
                | models.Q(
                    state="granted",
                    holds_slot=True,
                    revealed_at__isnull=True,
                    valid_until__isnull=True,
                ),
                name="benefits_claim_frozen_whole",
            ),
        ]
        indexes = [
            # "My benefits": a member's claims, newest first.
            models.Index(fields=["member", "-id"], name="benefits_claim_of_member"),
            # The grant worker: what is due, oldest first.
            models.Index(
                fields=["next_attempt_at"],
                name="benefits_claim_due",
                condition=models.Q(state="reserved"),
            ),
            # The same by release, so that no provider's line hides another's.
            models.Index(
                fields=["release", "next_attempt_at", "id"],
                name="benefits_claim_due_of_release",
                condition=models.Q(state="reserved"),
            ),
            # The expiry sweep and "expiring soon" of the whole programme.
            models.Index(
                fields=["valid_until"],
                name="benefits_claim_ending",
                condition=models.Q(state="granted", valid_until__isnull=False),
            ),
            # Support and the statement of a provider paste this.
            models.Index(
                fields=["provider_reference"],
                name="benefits_claim_provider_ref",
                condition=models.Q(provider_reference__isnull=False),
            ),
            # Vouchers that are still good, for the wallets that keep them to be asked about.
            models.Index(
                fields=["release", "id"],
                name="benefits_claim_voucher",
                condition=models.Q(mode="provider", provider_status="issued", state="granted"),
            ),
            # Those that have ended, by when; each is in one of the two, and no code is in either.
            models.Index(
                models.F("release"),
                Coalesce("ended_at", "redeemed_at"),
                name="benefits_claim_voucher_ended",
                condition=models.Q(
                    mode="provider",
                    provider_status="issued",
                    state__in=["redeemed", "returned", "revoked"],
                ),
            ),
            # A partner's own list, newest first.
            models.Index(
                fields=["partner_id", "-id"],
                name="benefits_claim_of_partner",
                condition=models.Q(partner_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_waiting_for_provider(self) -> bool:
        return self.state == self.State.RESERVED

    def is_expired_at(self, now: datetime) -> bool:
        """Expiry holds from its instant, whether or not the sweep has been by."""
        if self.state == self.State.EXPIRED:
            return True
        return (
            self.state == self.State.GRANTED
            and self.valid_until is not None
            and self.valid_until <= now
        )

    def state_at(self, now: datetime) -> str:
        """The state a reader is told: an unswept end is an end."""
        return self.State.EXPIRED if self.is_expired_at(now) else self.state


class ClaimEvent(models.Model):
    """One change of a claim: who, why, when, from what to what. Only ever added."""

    # Written with its claim, which is never deleted (a trigger): checking that it is there would
    # lock the row just written. `benefits_claimevent_order` begins with the claim.
    claim = models.ForeignKey(
        Claim, on_delete=models.PROTECT, related_name="events", db_constraint=False, db_index=False
    )
    at = models.DateTimeField(db_default=Now())
    actor = models.CharField(max_length=80)
    cause = models.CharField(max_length=40)
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    facts = models.JSONField(null=True)

    class Meta:
        verbose_name = _("claim event")
        verbose_name_plural = _("claim events")
        indexes = [models.Index(fields=["claim", "id"], name="benefits_claimevent_order")]

    def __str__(self) -> str:
        return f"{self.cause}: {self.to_state}"
