from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class PopulationRun(models.Model):
    """A rule tried out on members as they are, beside the rule in force. It changes no member.

    Who is looked at follows from the row alone (seed, bounds, size), and every rule is judged as of
    one instant: the same run gives the same figures. Position and sums move in one commit, so a
    worker that dies skips nobody and counts nobody twice.
    """

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "run"), editable=False
    )
    # Of a benefit's rule; null for a segment's, which has no fields and no rule before.
    benefit = models.ForeignKey(
        "benefits.Benefit", on_delete=models.PROTECT, null=True, related_name="population_runs"
    )
    segment = models.ForeignKey(
        "benefits.Segment", on_delete=models.PROTECT, null=True, related_name="population_runs"
    )
    livemode = models.BooleanField(null=True)  # Null: members of both modes.
    tree = models.JSONField(_("rule"), default=dict)
    live_tree = models.JSONField(_("rule in force"), default=dict)
    as_of = models.DateTimeField(_("as of"))
    # At most so many members are looked at; 0 is everybody.
    sample_size = models.PositiveIntegerField(_("sample"))
    seed = models.CharField(max_length=64)
    first_member = models.BigIntegerField()
    last_member = models.BigIntegerField()
    position = models.BigIntegerField(default=0)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.RUNNING)
    sums = models.JSONField(default=dict)
    report = models.JSONField(_("report"), default=dict)
    fault = models.CharField(max_length=200, blank=True)
    actor = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("trial of a rule")
        verbose_name_plural = _("trials of rules")
        ordering = ["-id"]
        indexes = [
            # What a worker takes next.
            models.Index(
                fields=["id"],
                name="benefits_populationrun_open",
                condition=models.Q(state="running"),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class RuleRequest(models.Model):
    """A rule that somebody wants in force for a benefit that is out, and the second pair of eyes.

    `digest` is of the tree as the maker saw it, `base_version` is the rule it was weighed against:
    what is approved is what is applied, or nothing is.
    """

    class State(models.TextChoices):
        OPEN = "open", _("waiting for approval")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        RETURNED = "returned", _("changes asked for")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "rrq"), editable=False
    )
    benefit = models.ForeignKey(
        "benefits.Benefit", on_delete=models.PROTECT, related_name="rule_requests"
    )
    tree = models.JSONField(_("rule"), default=dict)
    digest = models.CharField(_("fingerprint"), max_length=64)
    base_version = models.PositiveIntegerField(_("instead of version"))
    run = models.OneToOneField(
        PopulationRun, on_delete=models.PROTECT, related_name="request", verbose_name=_("trial")
    )
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.OPEN)
    maker = models.CharField(_("asked by"), max_length=80)
    created_at = models.DateTimeField(_("asked"))
    expires_at = models.DateTimeField(_("expires"))
    checker = models.CharField(_("decided by"), max_length=80, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True)
    version = models.OneToOneField(
        "benefits.RuleVersion", on_delete=models.PROTECT, null=True, related_name="request"
    )

    class Meta:
        verbose_name = _("rule request")
        verbose_name_plural = _("rule requests")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["benefit"],
                name="benefits_rulerequest_one_open",
                condition=models.Q(state="open"),
            ),
            # Whoever asked never decides, superuser or not.
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "rejected", "returned"])
                | ~models.Q(checker=models.F("maker")),
                name="benefits_rulerequest_two_people",
            ),
            models.CheckConstraint(
                condition=models.Q(state="approved", version__isnull=False)
                | (~models.Q(state="approved") & models.Q(version__isnull=True)),
                name="benefits_rulerequest_applied",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
