"""What the console itself remembers: who is signed in, who did what, and how the books stand."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class OperatorSession(models.Model):
    """One operator at work on one browser, from a good second factor until it ends.

    At most one is open for an operator. It ends by sign-out, after 15 idle minutes, after 8 hours,
    when a colleague ends it, or when the same operator signs in elsewhere.
    """

    class Ending(models.TextChoices):
        SIGNED_OUT = "signed_out", _("signed out")
        IDLE = "idle", _("idle for too long")
        TOO_LONG = "too_long", _("a working day is over")
        REPLACED = "replaced", _("signed in elsewhere")
        ENDED = "ended", _("ended by a colleague")
        MOVED = "moved", _("the browser changed")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="operator_sessions"
    )
    started_at = models.DateTimeField(_("started"))
    seen_at = models.DateTimeField(_("last seen"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    ending = models.CharField(_("ending"), max_length=10, choices=Ending, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True)
    # Browser and system without version numbers: an update is no theft, another browser may be.
    agent_family = models.CharField(_("browser"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("operator session")
        verbose_name_plural = _("operator sessions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(ended_at__isnull=True),
                name="console_operatorsession_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"session {self.pk}"


class AuditEvent(models.Model):
    """One thing an operator did. Rows are only ever added: a trigger refuses anything else.

    Numbers have no gaps and each row carries the hash of the row before it, so a row changed or
    taken out behind the trigger's back shows (`audit.list_broken_events`).
    """

    at = models.DateTimeField(_("at"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,  # An operator who has acted is deactivated, never deleted.
        null=True,
        related_name="+",
        verbose_name=_("operator"),
    )
    actor = models.CharField(_("who"), max_length=180)
    address = models.GenericIPAddressField(_("from where"), null=True)
    request_id = models.CharField(_("request"), max_length=40, blank=True)
    action = models.CharField(_("action"), max_length=60)
    object_type = models.CharField(_("kind of object"), max_length=100, blank=True)
    object_id = models.CharField(_("object"), max_length=100, blank=True)
    object_name = models.CharField(_("name"), max_length=200, blank=True)
    before = models.JSONField(_("before"), default=dict)
    after = models.JSONField(_("after"), default=dict)
    reason = models.TextField(_("reason"), blank=True)
    previous_hash = models.BinaryField(max_length=32, editable=False, default=b"")
    row_hash = models.BinaryField(max_length=32, editable=False, default=b"")

    class Meta:
        verbose_name = _("audit event")
        verbose_name_plural = _("audit log")
        ordering = ["-id"]
        permissions = [("unmask_member", _("Can see a member's wallet id, with a reason"))]
        indexes = [
            # "Everything that happened to this object", newest first.
            models.Index(
                fields=["object_type", "object_id", "-id"], name="console_auditevent_object"
            ),
            # "Everything this operator did", newest first.
            models.Index(fields=["user", "-id"], name="console_auditevent_user"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class BooksCheck(models.Model):
    """One check of the books' invariants, by night or by button, and what it found.

    A waiting row is the order to check; the worker takes it under a lease.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("being checked")
        CLEAN = "clean", _("clean")
        WARNING = "warning", _("clean, with warnings")
        BROKEN = "broken", _("broken")
        FAILED = "failed", _("did not finish")

    OPEN_STATUSES = (Status.WAITING, Status.RUNNING)

    requested_at = models.DateTimeField(_("asked for"))
    requested_by = models.CharField(_("asked for by"), max_length=180)
    lease_until = models.DateTimeField(null=True, editable=False)
    started_at = models.DateTimeField(_("started"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    status = models.CharField(_("result"), max_length=8, choices=Status, default=Status.WAITING)
    checked_count = models.PositiveIntegerField(_("invariants checked"), default=0)
    # One line per invariant, as `manage.py verify_books` prints them.
    report = models.TextField(_("report"), blank=True)

    class Meta:
        verbose_name = _("books check")
        verbose_name_plural = _("books checks")
        ordering = ["-id"]
        permissions = [("run_bookscheck", _("Can have the books checked now"))]
        constraints = [
            # A second request while one is open is the same request.
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(status__in=["waiting", "running"]),
                name="console_bookscheck_one_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.requested_at:%Y-%m-%d %H:%M} {self.status}"

    @property
    def tone(self) -> str:
        tones = {"clean": "good", "warning": "warn", "broken": "bad", "failed": "bad"}
        return tones.get(self.status, "")


class OperatorScope(models.Model):
    """The wallets one operator may see. An operator without a row here sees every wallet."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="scope"
    )
    wallets = models.ManyToManyField("members.Wallet", verbose_name=_("wallets"))

    class Meta:
        verbose_name = _("operator scope")
        verbose_name_plural = _("operator scopes")

    def __str__(self) -> str:
        return f"scope {self.pk}"
