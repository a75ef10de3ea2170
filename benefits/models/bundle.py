from functools import partial

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from zone.core.ids import new_public_id
from zone.core.wording import language_chain


class Bundle(models.Model):
    """Benefits that belong together, and what having one of them means for the others.

    A right that one claim uses up is judged in that claim's own transaction, from the claims
    there are: whatever ends a claim or brings it back needs no second book.
    """

    class Kind(models.TextChoices):
        PICK = "pick", _("choose some of them")
        APART = "apart", _("they exclude each other")
        ALL = "all", _("all of them, together")
        LADDER = "ladder", _("a ladder: spend more, get more")

    ITEMS_MAX = 12
    # The kinds in which one claim uses up the right to others.
    CHOOSING = (Kind.PICK, Kind.APART)

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "bdl"), editable=False
    )
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind)
    # Of a choice: how many claims it allows. Of an exclusion: how many different benefits.
    picks = models.PositiveSmallIntegerField(
        _("how many"), default=1, validators=[MinValueValidator(1)]
    )
    # Only claims this young use up the right; none: every claim, for ever.
    within_days = models.PositiveSmallIntegerField(
        _("counting the last days"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # Of a ladder: what its steps are measured by.
    spent_days = models.PositiveSmallIntegerField(
        _("ladder: spent in the last days"), null=True, blank=True
    )
    currency = models.CharField(_("ladder: currency"), max_length=3, blank=True)
    # {language: {"title", "text"}}
    words = models.JSONField(_("words"), default=dict)
    is_active = models.BooleanField(_("in force"), default=True)
    # What it asks has held since then; claims from before are not judged by it afterwards.
    holds_since = models.DateTimeField(db_default=Now(), editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("bundle")
        verbose_name_plural = _("bundles")
        constraints = [
            models.CheckConstraint(condition=models.Q(picks__gte=1), name="benefits_bundle_some"),
            models.CheckConstraint(
                condition=models.Q(kind="ladder", spent_days__gte=1) & ~models.Q(currency="")
                | ~models.Q(kind="ladder"),
                name="benefits_bundle_ladder_is_measured",
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def is_choice(self) -> bool:
        return self.kind in self.CHOOSING

    def text(self, language: str = "") -> dict[str, str]:
        """Title and text in `language`, else in the nearest there is."""
        for wanted in language_chain(language or get_language() or "en"):
            if wanted in self.words:
                found: dict[str, str] = self.words[wanted]
                return found
        return next(iter(self.words.values()), {"title": self.slug, "text": ""})


class BundleItem(models.Model):
    """One benefit of a bundle; on a ladder with what opens its step."""

    bundle = models.ForeignKey(Bundle, on_delete=models.CASCADE, related_name="items")
    benefit = models.ForeignKey(
        "benefits.Benefit",
        on_delete=models.CASCADE,
        related_name="bundle_items",
        verbose_name=_("benefit"),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    least_spent = models.PositiveBigIntegerField(_("ladder: from"), default=0)
    added_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("benefit of a bundle")
        verbose_name_plural = _("benefits of a bundle")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["bundle", "benefit"], name="benefits_bundleitem_once"),
        ]

    def __str__(self) -> str:
        return f"{self.bundle_id}: {self.benefit_id}"
