from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from zone.core.ids import public_id_of, uuid7
from zone.core.wording import TextsField


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


class Announcement(models.Model):
    """Something that operators tell many members at once, each at most once.

    What advertises goes only to those who agreed to it and have not taken that back when their
    turn comes. The row is its own message: `last_member_id` is how far it got.
    """

    class Purpose(models.TextChoices):
        MARKETING = "marketing", _("advertises: only to those who agreed")
        SERVICE = "service", _("about the service: to everybody")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        STOPPED = "stopped", _("stopped")

    # {"en": "New in November", "zh-hans": "十一月上新"}
    titles = TextsField(_("titles by language"))
    bodies = TextsField(_("texts by language"), text_length=2000, rows=3)
    link = models.CharField(_("link"), max_length=200, default="/benefits")
    purpose = models.CharField(
        _("purpose"), max_length=9, choices=Purpose, default=Purpose.MARKETING
    )
    # Empty for every wallet.
    wallet = models.ForeignKey(
        "members.Wallet",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("wallet"),
    )
    publish_at = models.DateTimeField(_("not before"))
    state = models.CharField(
        _("state"), max_length=8, choices=State, default=State.DRAFT, editable=False
    )
    sent_by = models.CharField(_("sent by"), max_length=150, blank=True, editable=False)
    last_member_id = models.BigIntegerField(default=0, editable=False)
    told_count = models.PositiveIntegerField(_("members told"), default=0, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ["-pk"]
        permissions = [("send_announcement", "Can send and stop announcements")]
        indexes = [
            # What the worker sends next.
            models.Index(
                fields=["publish_at"],
                name="notices_announcement_open",
                condition=models.Q(state="sending"),
            ),
        ]

    def __str__(self) -> str:
        titles: dict[str, str] = self.titles if isinstance(self.titles, dict) else {}
        return titles.get("en") or f"announcement {self.pk}"

    def clean(self) -> None:
        for name in ("titles", "bodies"):
            words = getattr(self, name)
            if not isinstance(words, dict) or not words.get("en"):
                raise ValidationError({name: _("English at least is needed.")})
        if not (self.link.startswith("/") and url_has_allowed_host_and_scheme(self.link, None)):
            raise ValidationError({"link": _("The link is a path of ours.")})
