from django.core.validators import validate_slug
from django.db import models
from django.utils.translation import gettext_lazy as _

TAG_LETTERS_MAX = 40


class MemberTag(models.Model):
    """A word that an operator put on one member; rules may ask for it.

    A segment is a set with a name of its own; a tag says something of a member.
    """

    member = models.ForeignKey("members.Member", on_delete=models.CASCADE, related_name="+")
    tag = models.CharField(_("tag"), max_length=TAG_LETTERS_MAX, validators=[validate_slug])
    added_by = models.CharField(_("added by"), max_length=80)
    added_at = models.DateTimeField(_("added"))

    class Meta:
        verbose_name = _("tag of a member")
        verbose_name_plural = _("tags of members")
        constraints = [
            # Member first: a rule asks for all tags of one member.
            models.UniqueConstraint(fields=["member", "tag"], name="benefits_membertag_once"),
        ]
        indexes = [
            # The console lists who has a tag, and which tags there are.
            models.Index(fields=["tag", "-id"], name="benefits_membertag_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.tag}: {self.member_id}"
