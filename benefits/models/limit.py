from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Quota(models.Model):
    """How many claims somebody may make of a benefit in a stretch of time.

    One row says one limit: of each member, of each natural person, or of everybody together; ever,
    or per quarter, month, week, day or hour; of the whole benefit or of one release; of every wallet or of
    one, of every tier or of one. A cooldown instead says how long after a claim the next one may come.
    """

    class Holder(models.TextChoices):
        MEMBER = "member", _("each member")
        PERSON = "person", _("each person, over all their wallets")
        ALL = "all", _("everybody together")

    class Period(models.TextChoices):
        TOTAL = "total", _("ever")
        QUARTER = "quarter", _("a calendar quarter")  # As Apple rations offer codes.
        MONTH = "month", _("a calendar month")
        WEEK = "week", _("a week, from Monday")
        DAY = "day", _("a day")
        HOUR = "hour", _("an hour")
        COOLDOWN = "cooldown", _("once, then a pause")

    benefit = models.ForeignKey("benefits.Benefit", on_delete=models.PROTECT, related_name="quotas")
    release = models.ForeignKey(
        "benefits.Release", on_delete=models.PROTECT, null=True, blank=True, related_name="quotas"
    )
    holder = models.CharField(_("counted for"), max_length=6, choices=Holder)
    period = models.CharField(_("counted over"), max_length=8, choices=Period)
    wallet = models.ForeignKey(
        "members.Wallet", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # A tier's code: the limit counts, and binds, the members of that tier alone.
    tier = models.SlugField(_("of this tier only"), max_length=24, blank=True, db_default="")
    allowed = models.PositiveIntegerField(_("claims"), default=1, validators=[MinValueValidator(1)])
    pause_minutes = models.PositiveIntegerField(_("pause, minutes"), null=True, blank=True)
    # Members count by their own calendar; persons and everybody together by this one.
    time_zone = models.CharField(_("time zone"), max_length=40, default="Asia/Shanghai")
    is_active = models.BooleanField(_("in force"), default=True)

    class Meta:
        verbose_name = _("limit")
        verbose_name_plural = _("limits")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(period="cooldown", pause_minutes__gte=1, allowed=1)
                | (~models.Q(period="cooldown") & models.Q(pause_minutes__isnull=True)),
                name="benefits_quota_pause",
            ),
            models.CheckConstraint(condition=models.Q(allowed__gte=1), name="benefits_quota_some"),
        ]
        indexes = [
            # Every claim reads the limits of its benefit.
            models.Index(
                fields=["benefit", "id"],
                name="benefits_quota_of_benefit",
                condition=models.Q(is_active=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.allowed} · {self.get_holder_display()} · {self.get_period_display()}"


class QuotaUse(models.Model):
    """How much of a quota one holder has used in one window. Only the claim function raises it."""

    quota = models.ForeignKey(Quota, on_delete=models.PROTECT, related_name="uses")
    # A member's key, a person's token in hex, or empty for everybody.
    holder = models.CharField(max_length=64)
    window = models.CharField(max_length=16)  # The window's first local day or hour; empty: ever.
    used = models.PositiveIntegerField()
    allowed = models.PositiveIntegerField()  # As it was when `used` last rose.
    frees_at = models.DateTimeField(null=True)  # Of a cooldown: when the next claim may come.

    class Meta:
        verbose_name = _("use of a limit")
        verbose_name_plural = _("uses of limits")
        constraints = [
            models.UniqueConstraint(
                fields=["quota", "holder", "window"], name="benefits_quotause_window"
            ),
            models.CheckConstraint(
                condition=models.Q(used__lte=models.F("allowed")), name="benefits_quotause_within"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quota_id} {self.window}: {self.used}"


class QuotaCount(models.Model):
    """That a claim was counted in a window: gone again when the claim lets go of its slot."""

    claim = models.ForeignKey("benefits.Claim", on_delete=models.PROTECT, related_name="+")
    use = models.ForeignKey(QuotaUse, on_delete=models.PROTECT, related_name="counts")
    frees_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("counted claim")
        verbose_name_plural = _("counted claims")
        constraints = [
            models.UniqueConstraint(fields=["claim", "use"], name="benefits_quotacount_once"),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id} in {self.use_id}"


class Budget(models.Model):
    """Money for benefits: each claim takes its benefit's cost of one, and stops hard at the end."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.PositiveBigIntegerField(_("amount"))
    spent = models.PositiveBigIntegerField(_("spent"), default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(spent__lte=models.F("amount")), name="benefits_budget_cap"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class BudgetShare(models.Model):
    """What part of a budget's costs one funder bears. The parts of a budget make 10,000."""

    budget = models.ForeignKey(Budget, on_delete=models.CASCADE, related_name="shares")
    funder = models.SlugField(_("funder"), max_length=40)
    basis_points = models.PositiveSmallIntegerField(
        _("share, hundredths of a percent"), validators=[MinValueValidator(1)]
    )

    class Meta:
        verbose_name = _("share of a budget")
        verbose_name_plural = _("shares of a budget")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["budget", "funder"], name="benefits_budgetshare_funder"
            ),
            models.CheckConstraint(
                condition=models.Q(basis_points__gte=1, basis_points__lte=10000),
                name="benefits_budgetshare_part",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.funder}: {self.basis_points}"


class BudgetUse(models.Model):
    """What one claim cost one funder. Gone again when the claim lets go of its slot."""

    claim = models.ForeignKey("benefits.Claim", on_delete=models.PROTECT, related_name="+")
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="uses")
    funder = models.CharField(max_length=40)
    amount = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = _("cost of a claim")
        verbose_name_plural = _("costs of claims")
        constraints = [
            models.UniqueConstraint(fields=["claim", "funder"], name="benefits_budgetuse_once"),
        ]

    def __str__(self) -> str:
        return f"{self.funder}: {self.amount}"
