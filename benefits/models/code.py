from functools import partial

from django.db import models
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id


class CodeBatch(models.Model):
    """Codes that came together: from one file with one end date, or from one provider.

    Their data key lives here, wrapped. Deleting the key makes every code of the batch unreadable.
    """

    class Source(models.TextChoices):
        FILE = "file", _("a file")
        PROVIDER = "provider", _("a provider")
        PLATFORM = "platform", _("made here")

    class KeptFor(models.TextChoices):
        NOTHING = "", _("on sale at once")
        REFILL = "refill", _("opens by itself when the pool is low")
        REPLACEMENT = "replacement", _("replaces codes that do not work")

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "cbt"), editable=False
    )
    release = models.ForeignKey(
        "benefits.Release", on_delete=models.PROTECT, related_name="code_batches"
    )
    source = models.CharField(max_length=8, choices=Source, default=Source.FILE)
    # The last day the codes work, in the market's zone; null when the source gives none.
    expires_on = models.DateField(_("codes end on"), null=True, blank=True)
    # How much life a member is promised: sale stops this long before the end.
    life_days_min = models.PositiveSmallIntegerField(_("guaranteed days"), default=7)
    kept_for = models.CharField(
        _("use"), max_length=12, choices=KeptFor, blank=True, default="", db_default=""
    )
    # Codes of the batch up to this slot are, or were, on sale.
    published_slot = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    set_aside_at = models.DateTimeField(_("set aside"), null=True, editable=False)
    key_sealed = models.BinaryField(max_length=100, null=True, editable=False)
    # The first byte of a code's envelope is the number of the key it was sealed with. While a new
    # key comes in, the one before it still opens what was not sealed anew.
    key_number = models.PositiveSmallIntegerField(default=1, db_default=1, editable=False)
    old_key_sealed = models.BinaryField(max_length=100, null=True, editable=False)
    # Transactions numbered below this may still seal with the old key; null until one is replaced.
    key_horizon = models.BigIntegerField(null=True, editable=False)
    shredded_at = models.DateTimeField(_("made unreadable"), null=True, editable=False)
    file_hash = models.BinaryField(max_length=32, null=True, editable=False)
    file_name = models.CharField(max_length=120, blank=True)
    report = models.JSONField(default=dict)
    actor = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("code batch")
        verbose_name_plural = _("code batches")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "file_hash", "expires_on"],
                name="benefits_codebatch_file_once",
                nulls_distinct=False,
                condition=~models.Q(source="provider"),
            ),
            models.UniqueConstraint(
                fields=["release"],
                name="benefits_codebatch_one_of_provider",
                condition=models.Q(source="provider"),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Code(models.Model):
    """One code, sealed. Slot n of a release owns code n, whoever made it."""

    # `benefits_code_one_per_slot` begins with the release.
    release = models.ForeignKey(
        "benefits.Release", on_delete=models.PROTECT, related_name="codes", db_index=False
    )
    slot = models.PositiveIntegerField()
    batch = models.ForeignKey(
        CodeBatch, on_delete=models.PROTECT, related_name="codes", db_index=False
    )
    # AES-256-GCM under the batch's key; the additional data is the release and the slot.
    sealed = models.BinaryField(max_length=120, editable=False)
    # Keyed hash of mode and code: equal codes are found, none can be guessed from it.
    code_index = models.BinaryField(max_length=32, unique=True, editable=False)
    last_four = models.CharField(max_length=4)
    redeem_url_sealed = models.BinaryField(max_length=600, editable=False, default=b"")
    expires_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        constraints = [
            models.UniqueConstraint(fields=["release", "slot"], name="benefits_code_one_per_slot"),
        ]
        # What of a batch is not published yet, and which codes share its key.
        indexes = [models.Index(fields=["batch", "slot"], name="benefits_code_of_batch")]

    def __str__(self) -> str:
        return f"••••{self.last_four}"
