from django.db import models
from django.utils.translation import gettext_lazy as _


class PoolSample(models.Model):
    """How many units of a release were given out when an hour began: what its pace is read from."""

    release = models.ForeignKey("benefits.Release", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    given = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("pool sample")
        verbose_name_plural = _("pool samples")
        constraints = [
            models.UniqueConstraint(fields=["release", "at"], name="benefits_poolsample_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.release_id}: {self.given}"


class PoolWarning(models.Model):
    """A level that a pool of codes has passed. While the row is open, nobody is called again."""

    class Kind(models.TextChoices):
        LOW = "low", _("per cent left")
        ENDING = "ending", _("days before the codes leave the sale")

    release = models.ForeignKey(
        "benefits.Release", on_delete=models.CASCADE, related_name="pool_warnings"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    level = models.PositiveSmallIntegerField(_("level"))
    # Of codes that leave the sale together; null for a level of the whole pool.
    ends_at = models.DateTimeField(null=True)
    facts = models.JSONField(default=dict)
    at = models.DateTimeField(_("warned"))
    cleared_at = models.DateTimeField(_("over"), null=True)

    class Meta:
        verbose_name = _("pool warning")
        verbose_name_plural = _("pool warnings")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "kind", "level", "ends_at"],
                name="benefits_poolwarning_once",
                nulls_distinct=False,
                condition=models.Q(cleared_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.level}"
