from django.db import models
from django.utils.translation import gettext_lazy as _


class StuckRow(models.Model):
    """A row that work in the background cannot get past. It is tried again, ever more rarely.

    It exists from the first failure until the row's work is done; `work` is the drain, `row` the
    row's key there. Everything behind it in the line goes on.
    """

    work = models.CharField(_("work"), max_length=60)
    row = models.CharField(_("row"), max_length=80)
    error = models.CharField(_("error"), max_length=300)
    count = models.PositiveIntegerField(_("times"), default=1)
    first_at = models.DateTimeField(_("first"))
    last_at = models.DateTimeField(_("last"))
    retry_at = models.DateTimeField(_("tried again"))

    class Meta:
        verbose_name = _("stuck row")
        verbose_name_plural = _("stuck rows")
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(fields=["work", "row"], name="core_stuckrow_one"),
        ]

    def __str__(self) -> str:
        return f"{self.work}: {self.row}"
