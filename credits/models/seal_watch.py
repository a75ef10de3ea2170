from django.db import models
from django.utils.translation import gettext_lazy as _


class SealWatch(models.Model):
    """How far the watch over the seals has come. One row; the lease says who is at work."""

    # The lap over all blocks: where it goes on, when it began, when the last one was whole.
    next_block = models.BigIntegerField(default=1)
    lap_started_at = models.DateTimeField(null=True)
    lap_finished_at = models.DateTimeField(null=True)
    newest_block = models.BigIntegerField(default=0)
    # Rows that were ever changed or deleted, by table: it never rises for a sound ledger.
    change_counts = models.JSONField(default=dict)
    # A count moved: blocks from here on are looked at before all others.
    suspect_block = models.BigIntegerField(null=True)
    lease_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"block {self.next_block}"


class SealFinding(models.Model):
    """Something wrong with a sealed block, and the row to blame where there is one."""

    block = models.BigIntegerField(_("block"))
    what = models.CharField(_("what"), max_length=80)
    member_id = models.BigIntegerField(_("member"), null=True)
    op_id = models.UUIDField(_("operation"), null=True)
    found_at = models.DateTimeField(_("found"))

    class Meta:
        verbose_name = _("tampering with the ledger")
        verbose_name_plural = _("tampering with the ledger")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["block", "what", "member_id", "op_id"],
                name="credits_sealfinding_once",
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"block {self.block}: {self.what}"
