from django.db import models
from django.utils.translation import gettext_lazy as _


class Segment(models.Model):
    """A named list of members: for rules, for prices, for grants to many."""

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")

    def __str__(self) -> str:
        return self.code


class SegmentMember(models.Model):
    """One member on one list."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="rows")
    member = models.ForeignKey("members.Member", on_delete=models.CASCADE, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("member of a segment")
        verbose_name_plural = _("members of a segment")
        constraints = [
            # Member first: a rule asks for all lists of one member.
            models.UniqueConstraint(
                fields=["member", "segment"], name="benefits_segmentmember_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.member_id}"
