from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import public_id_of, uuid7


class Notice(models.Model):
    """One thing a member should know. Facts are stored; words are chosen when it is read.

    The text lives in `templates/notices/kinds/<kind>.html`, so a notice written while the member
    read English is shown in Chinese after they change the language.
    """

    # UUIDv7 of the moment it speaks of: the inbox is read and paged in the order of this key.
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    member = models.ForeignKey("members.Member", on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(_("kind"), max_length=40)
    facts = models.JSONField(_("facts"), default=dict)
    # A path of ours to go to; empty when there is nothing more to see.
    link = models.CharField(_("link"), max_length=200, blank=True)
    dedupe_key = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(_("written"))
    read_at = models.DateTimeField(_("read"), null=True)

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "dedupe_key"],
                condition=~models.Q(dedupe_key=""),
                name="notices_notice_once",
            ),
        ]
        indexes = [
            # The inbox: one member's notices, newest first.
            models.Index(fields=["member", "-id"], name="notices_notice_inbox"),
            # The number on the bell, counted on every page.
            models.Index(
                fields=["member"],
                condition=models.Q(read_at__isnull=True),
                name="notices_notice_unread",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def public_id(self) -> str:
        return public_id_of("ntc", UUID(str(self.id)))

    @property
    def template_name(self) -> str:
        return f"notices/kinds/{self.kind}.html"

    @property
    def is_read(self) -> bool:
        return self.read_at is not None
