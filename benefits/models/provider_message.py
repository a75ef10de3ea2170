from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderMessage(models.Model):
    """What a provider told us by itself about an order. The row is its own message.

    It is kept before it is understood: a provider may speak before our own commit, say a thing
    twice, or in the wrong order, and an answer of ours means that nothing is lost.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        UNKNOWN = "unknown", _("about no order of ours")

    provider = models.ForeignKey(
        "benefits.ProviderConfig", on_delete=models.PROTECT, related_name="messages"
    )
    message_id = models.CharField(_("number"), max_length=64)
    claim_public_id = models.CharField(_("order"), max_length=30)
    # The whole message under a key-encryption key, for it may hold a code; empty once it is done.
    sealed = models.BinaryField(editable=False, default=b"")
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    outcome = models.CharField(_("what became of it"), max_length=40, blank=True, default="")
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    received_at = models.DateTimeField(_("received"))
    next_attempt_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("message of a provider")
        verbose_name_plural = _("messages of providers")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "message_id"], name="benefits_providermessage_once"
            ),
        ]
        indexes = [
            # The drain: what is due, oldest first.
            models.Index(
                fields=["next_attempt_at"],
                name="benefits_providermessage_due",
                condition=models.Q(state="waiting"),
            ),
        ]

    def __str__(self) -> str:
        return self.message_id
