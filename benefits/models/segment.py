from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class Segment(models.Model):
    """A named set of members: for rules, for prices, for grants to many.

    A list is filled by hand or from a file. A live segment has a rule instead, and its rows follow
    the members: whoever comes to fit it enters within a minute, whoever no longer fits leaves.
    """

    class Kind(models.TextChoices):
        LIST = "list", _("list")
        LIVE = "live", _("live, by a rule")

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(
        _("kind"), max_length=4, choices=Kind, default=Kind.LIST, db_default=Kind.LIST
    )
    tree = models.JSONField(_("rule"), default=dict, blank=True)
    # What its rule looks at; a change of anything else is not its business.
    sources = ArrayField(models.CharField(max_length=16), default=list, blank=True, editable=False)
    # The last member looked at while everybody is looked at once; null when that is done.
    walked_to = models.BigIntegerField(null=True, editable=False)
    built_at = models.DateTimeField(_("complete since"), null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")

    def __str__(self) -> str:
        return self.code

    @property
    def is_live(self) -> bool:
        return self.kind == self.Kind.LIVE


class SegmentMember(models.Model):
    """One member in one segment."""

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


class SegmentEvent(models.Model):
    """A member entered a segment, or left it: written with the row that makes it true."""

    class Kind(models.TextChoices):
        ENTERED = "entered", _("entered")
        LEFT = "left", _("left")

    segment = models.ForeignKey(Segment, on_delete=models.PROTECT, related_name="events")
    member = models.ForeignKey("members.Member", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(_("what"), max_length=7, choices=Kind)
    cause = models.CharField(_("cause"), max_length=80)  # rule, or the operator of an upload
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("segment event")
        verbose_name_plural = _("segment events")
        ordering = ["-id"]
        indexes = [
            # A segment's latest comings and goings.
            models.Index(fields=["segment", "-id"], name="benefits_segmentevent_latest"),
            # One member's, for support.
            models.Index(fields=["member", "-id"], name="benefits_segmentevent_member"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.kind} {self.segment_id}"


class SegmentWatch(models.Model):
    """When time alone may change whether a member fits a live segment: looked at again then."""

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey("members.Member", on_delete=models.CASCADE, related_name="+")
    looks_at = models.DateTimeField()

    class Meta:
        verbose_name = _("segment watch")
        verbose_name_plural = _("segment watches")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "segment"], name="benefits_segmentwatch_once"
            ),
        ]
        indexes = [
            # Whose time has come.
            models.Index(fields=["looks_at"], name="benefits_segmentwatch_due"),
        ]

    def __str__(self) -> str:
        return f"{self.segment_id}: {self.member_id}"


class MemberTouch(models.Model):
    """Something that a live segment looks at changed for a member. Looking deletes the row.

    Written by triggers, in the commit of the change itself: none is missed, none comes early.
    """

    member_id = models.BigIntegerField()
    source = models.CharField(max_length=16)

    class Meta:
        verbose_name = _("touched member")
        verbose_name_plural = _("touched members")

    def __str__(self) -> str:
        return f"{self.member_id}: {self.source}"
