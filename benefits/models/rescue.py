from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class Rescue(models.Model):
    """Something done for a claim that was about to lapse: once a month each, for each member."""

    class Kind(models.TextChoices):
        SNOOZE = "snooze", _("more time")
        PASS_ON = "pass_on", _("passed on to the next in line")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "rsc"), editable=False
    )
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    claim = models.ForeignKey("benefits.Claim", on_delete=models.PROTECT, related_name="rescues")
    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    month = models.CharField(_("month"), max_length=7)  # 2026-11, by the member's own calendar.
    was_until = models.DateTimeField(null=True)
    is_until = models.DateTimeField(null=True)
    thanks = models.PositiveIntegerField(_("thank-you credits"), default=0)
    op_id = models.UUIDField(null=True, editable=False)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("rescue")
        verbose_name_plural = _("rescues")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind", "month"], name="benefits_rescue_once_a_month"
            ),
            models.CheckConstraint(
                condition=models.Q(kind="snooze", is_until__gt=models.F("was_until"))
                | ~models.Q(kind="snooze"),
                name="benefits_rescue_gives_time",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
