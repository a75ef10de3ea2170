from django.db import models


class ExpiryRound(models.Model):
    """One telling of what ends with a month: how far through a market's members it has come."""

    zone = models.PositiveSmallIntegerField()
    # Months since January 2000, as the ledger counts them.
    month = models.PositiveSmallIntegerField()
    days_before = models.PositiveSmallIntegerField()
    last_member_id = models.BigIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["zone", "month", "days_before"], name="credits_expiryround_once"
            ),
        ]

    def __str__(self) -> str:
        return f"zone {self.zone}, month {self.month}, {self.days_before} days before"
