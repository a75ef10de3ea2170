from datetime import datetime
from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class Member(models.Model):
    """A person as one wallet knows them. The same person in two wallets is two members."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        ERASING = "erasing", _("being erased")
        ERASED = "erased", _("erased")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "mbr"), editable=False
    )
    wallet = models.ForeignKey(
        "members.Wallet",
        on_delete=models.PROTECT,  # A member's money has the wallet's currency.
        related_name="members",
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    # What the wallet told us to call them; shown to the member alone.
    display_name = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, default="en")
    storefront = models.CharField(max_length=3)
    time_zone = models.CharField(max_length=40)
    is_adult = models.BooleanField(default=True)
    # A keyed token shared by the members of one natural person; null when the wallet gives none.
    person_token = models.BinaryField(max_length=32, null=True, editable=False)
    joined_at = models.DateTimeField()
    # Null for somebody we only know from a wallet's list.
    first_signed_in_at = models.DateTimeField(null=True)
    # While it is set, everything can be read and nothing done. Why, and who did it, stand in the
    # credits room, which freezes the credits in the same commit.
    frozen_at = models.DateTimeField(null=True)
    # Set by whoever greets new arrivals, in the commit that greets them.
    welcomed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        indexes = [
            # Arrivals nobody greeted yet.
            models.Index(
                fields=["first_signed_in_at"],
                name="members_member_arrival",
                condition=models.Q(first_signed_in_at__isnull=False, welcomed_at__isnull=True),
            ),
            # Natural-person limits look members up by token.
            models.Index(
                fields=["person_token"],
                name="members_member_person",
                condition=models.Q(person_token__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None

    @property
    def may_sign_in(self) -> bool:
        """Whoever asked to be erased may still come back and change their mind."""
        return self.status in {self.Status.ACTIVE, self.Status.ERASING}


class WalletIdentity(models.Model):
    """One id under which a wallet knows a member: found by blind index, kept sealed.

    A wallet may know one person by several ids: `user_id` is platform-wide, `open_id` is per
    application (https://opendocs.alipay.com, user identity).
    """

    class Kind(models.TextChoices):
        USER_ID = "user_id", "user_id"
        OPEN_ID = "open_id", "open_id"

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="identities")
    wallet = models.ForeignKey("members.Wallet", on_delete=models.PROTECT, related_name="+")
    app_id = models.CharField(max_length=64, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.USER_ID)
    value_index = models.BinaryField(max_length=32, editable=False)
    value_sealed = models.BinaryField(max_length=400, editable=False)
    last_four = models.CharField(max_length=4)
    # Null until the messages that came before this identity was known are given to its member.
    history_linked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("wallet identity")
        verbose_name_plural = _("wallet identities")
        indexes = [
            # The history room drains identities whose earlier messages are still unlinked.
            models.Index(
                fields=["id"],
                name="members_identity_unlinked",
                condition=models.Q(history_linked_at__isnull=True),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["wallet", "app_id", "kind", "value_index"],
                name="members_walletidentity_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id} ••••{self.last_four}"


class MemberSession(models.Model):
    """One signed-in device. The cookie carries a random token; the row keeps its hash."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sessions")
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    idle_until = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    host = models.CharField(max_length=16, default="browser")
    device = models.CharField(max_length=120, blank=True)

    class Meta:
        verbose_name = _("member session")
        verbose_name_plural = _("member sessions")
        indexes = [
            # "Sign out everywhere" and the settings page list a member's open sessions.
            models.Index(
                fields=["member"],
                name="members_session_open",
                condition=models.Q(revoked_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.pk}"

    def is_open(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.idle_until and now < self.expires_at


class Consent(models.Model):
    """A member's yes to one purpose under one policy version, and when it was taken back.

    Personal Information Protection Law of the PRC, articles 14 to 17: informed, per purpose,
    withdrawable as easily as given.
    """

    class Purpose(models.TextChoices):
        ACCOUNT = "account", _("account")
        TRANSACTIONS = "transactions", _("showing transactions")
        CREDITS = "credits", _("credits")
        MARKETING = "marketing", _("marketing messages")
        PERSONALISATION = "personalisation", _("personal recommendations")

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=16, choices=Purpose)
    policy_version = models.CharField(max_length=20)
    language = models.CharField(max_length=10)
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "purpose"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="members_consent_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.policy_version}"
