from datetime import datetime
from functools import partial
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from benefits.models.kinds import (
    CREDIT_PACK,
    DRAW_TICKET,
    KINDS,
    WALLET_VOUCHER,
    Kind,
    check_detail,
    kind_choices,
)
from zone.core.ids import new_public_id
from zone.core.wording import language_chain


class BenefitQuerySet(models.QuerySet["Benefit"]):
    def listed(self, now: datetime) -> "BenefitQuerySet":
        """Benefits a member may see at `now`: approved, and inside the visible window."""
        return self.filter(
            models.Q(visible_until__isnull=True) | models.Q(visible_until__gt=now),
            status__in=Benefit.SHOWN_STATUSES,
            visible_from__lte=now,
        )


_APP_ICONS = ((" tv", "film"), ("books", "book"))


class Benefit(models.Model):
    """Something a member can have: its kind, price, windows and whom it is for.

    What there is of it lives in releases; a benefit without one is only a picture.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        IN_REVIEW = "in_review", _("in review")
        SCHEDULED = "scheduled", _("scheduled")
        LIVE = "live", _("live")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    class Hue(models.TextChoices):
        PINK = "pink", _("pink: music")
        BLUE = "blue", _("blue: cloud")
        VIOLET = "violet", _("violet: games")
        MINT = "mint", _("mint: coupons")
        NIGHT = "night", _("night: film and series")
        ORANGE = "orange", _("orange: books and tasks")

    class Funder(models.TextChoices):
        WALLET = "wallet", _("the wallet")
        APPLE = "apple", _("Apple")
        PARTNER = "partner", _("a partner")

    # A scheduled benefit whose visible window has begun is live; no job has to say so first.
    SHOWN_STATUSES = (Status.SCHEDULED, Status.LIVE, Status.PAUSED)

    public_id = models.CharField(
        max_length=30, unique=True, default=partial(new_public_id, "ben"), editable=False
    )
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    kind = models.CharField(_("kind"), max_length=24, choices=kind_choices)
    detail = models.JSONField(_("detail"), default=dict, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.DRAFT, editable=False
    )
    livemode = models.BooleanField(_("live mode"), default=True)
    hue = models.CharField(_("hue"), max_length=8, choices=Hue, default=Hue.MINT)
    # Renditions cut from the artwork: {"width", "height", "placeholder", "files": {format: {width: name}}}.
    artwork = models.JSONField(_("artwork"), default=dict, blank=True, editable=False)
    price_credits = models.PositiveIntegerField(_("price in credits"), default=0)
    per_member = models.PositiveSmallIntegerField(
        _("per member"), default=1, validators=[MinValueValidator(1)]
    )
    visible_from = models.DateTimeField(_("visible from"), db_default=Now())
    visible_until = models.DateTimeField(_("visible until"), null=True, blank=True)
    claimable_from = models.DateTimeField(_("claimable from"), null=True, blank=True)
    claimable_until = models.DateTimeField(_("claimable until"), null=True, blank=True)
    usable_from = models.DateTimeField(_("usable from"), null=True, blank=True)
    usable_until = models.DateTimeField(_("usable until"), null=True, blank=True)
    # From the first hour of so many days after the claim's own day, in the member's zone.
    usable_after_days = models.PositiveSmallIntegerField(
        _("usable after days"), null=True, blank=True
    )
    # Whole days after the claim's own day, in the member's market zone; usable_until caps them.
    valid_days = models.PositiveSmallIntegerField(_("valid days"), null=True, blank=True)
    # What a member gets back of the price for an unseen benefit after the time for undoing.
    return_percent = models.PositiveSmallIntegerField(
        _("credits back on return, percent"),
        default=80,
        db_default=80,
        validators=[MaxValueValidator(100)],
    )
    # Near its end a claim may get so many days more, once a month; 0: never.
    snooze_days = models.PositiveSmallIntegerField(
        _("more days near the end"), default=7, db_default=7, validators=[MaxValueValidator(31)]
    )
    thanks_credits = models.PositiveSmallIntegerField(
        _("credits for passing it on"), default=5, db_default=5
    )
    requires_binding = models.BooleanField(_("needs a binding"), default=True)
    requires_adult = models.BooleanField(_("adults only"), default=False)
    is_giftable = models.BooleanField(_("can be given away"), default=True)
    # Otherwise a gift takes nothing from its receiver's limit.
    gift_counts_to_limit = models.BooleanField(_("a gift counts to the limit"), default=False)
    # Empty means all of them.
    storefronts = ArrayField(
        models.CharField(max_length=3), verbose_name=_("storefronts"), default=list, blank=True
    )
    wallets = ArrayField(
        models.CharField(max_length=24), verbose_name=_("wallets"), default=list, blank=True
    )
    # Partners that may list and grant it, by their key in `partners`.
    partner_ids = ArrayField(models.BigIntegerField(), default=list, blank=True, editable=False)
    funder = models.CharField(_("paid by"), max_length=8, choices=Funder, default=Funder.WALLET)
    unit_cost = models.PositiveIntegerField(_("cost of one"), default=0)
    unit_cost_currency = models.CharField(_("currency of the cost"), max_length=3, default="CNY")
    budget = models.ForeignKey(
        "benefits.Budget",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="benefits",
        verbose_name=_("budget"),
    )
    # Left out of the catalogue, and claimed by swapping a full stamp board alone.
    only_for_stamps = models.BooleanField(_("for stamps only"), default=False, db_default=False)
    is_featured = models.BooleanField(_("featured"), default=False)
    sort_weight = models.PositiveSmallIntegerField(_("order"), default=100)
    terms_version = models.CharField(_("version of the terms"), max_length=20, default="1")
    # A draft out of sight; see `services/bin.py`.
    binned_at = models.DateTimeField(_("in the bin since"), null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BenefitQuerySet.as_manager()

    class Meta:
        verbose_name = _("benefit")
        verbose_name_plural = _("benefits")
        ordering = ["sort_weight", "-created_at"]
        permissions = [("approve_benefit", "Can approve, pause and end a benefit")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(per_member__gte=1), name="benefits_benefit_per_member"
            ),
            models.CheckConstraint(
                condition=models.Q(usable_after_days__isnull=True)
                | models.Q(valid_days__isnull=True)
                | models.Q(usable_after_days__lte=models.F("valid_days")),
                name="benefits_benefit_usable_before_its_end",
            ),
            # Credits never buy credits, and stamps never pay a price in credits.
            models.CheckConstraint(
                condition=models.Q(price_credits=0)
                | (~models.Q(kind="credit_pack") & models.Q(only_for_stamps=False)),
                name="benefits_benefit_no_closed_loop",
            ),
            # What lies in its owner's wallet cannot be handed on by us.
            models.CheckConstraint(
                condition=~models.Q(kind="wallet_voucher", is_giftable=True),
                name="benefits_benefit_voucher_stays",
            ),
            # Its entry is its owner's, who has to be of age; its life is that of its draw.
            models.CheckConstraint(
                condition=~models.Q(kind="draw_ticket")
                | models.Q(
                    is_giftable=False,
                    requires_adult=True,
                    valid_days__isnull=True,
                    usable_from__isnull=True,
                    usable_until__isnull=True,
                    usable_after_days__isnull=True,
                ),
                name="benefits_benefit_ticket_for_its_draw",
            ),
            models.CheckConstraint(
                condition=models.Q(visible_until__isnull=True)
                | models.Q(visible_until__gt=models.F("visible_from")),
                name="benefits_benefit_visible_window",
            ),
        ]
        indexes = [
            # The catalogue page: what is shown now, in its order.
            models.Index(
                fields=["sort_weight", "id"],
                name="benefits_benefit_shown",
                condition=models.Q(status__in=["scheduled", "live", "paused"]),
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def kind_facts(self) -> Kind:
        return KINDS[self.kind]

    @property
    def icon(self) -> str:
        """The kind's picture; a code for a film or a book wears that one."""
        app = str(self.detail.get("app_name", "")).lower()
        return next((icon for word, icon in _APP_ICONS if word in app), self.kind_facts.icon)

    def clean(self) -> None:
        check_detail(self.kind, self.detail)
        if self.kind == CREDIT_PACK and self.price_credits:
            raise ValidationError({"price_credits": _("Credits cannot buy credits.")})
        if self.only_for_stamps and self.price_credits:
            raise ValidationError({"price_credits": _("Stamps cannot pay a price in credits.")})
        if self.kind == WALLET_VOUCHER and self.is_giftable:
            raise ValidationError(
                {"is_giftable": _("A voucher lies in its owner's wallet and stays there.")}
            )
        if self.kind == DRAW_TICKET:
            self._check_ticket()

    def _check_ticket(self) -> None:
        faults: dict[str, Any] = {
            name: _("A ticket is good until its draw is over: leave this empty.")
            for name in TICKET_LIFE
            if getattr(self, name) is not None
        }
        if self.is_giftable:
            faults["is_giftable"] = _("A ticket is an entry of its owner and stays theirs.")
        if not self.requires_adult:
            faults["requires_adult"] = _("Draws are for adults only.")
        if self.only_for_stamps:
            faults["only_for_stamps"] = _(
                "Spent stamps do not come back, and a ticket's price must when its draw is off."
            )
        if faults:
            raise ValidationError(faults)
        was = type(self).objects.filter(pk=self.pk).values_list("detail", flat=True).first()
        has_another_draw = was is not None and was.get("draw") != self.detail.get("draw")
        if has_another_draw and self.claims.exists():
            raise ValidationError(_("Tickets are out: their draw stays the one it is."))

    @property
    def artwork_sources(self) -> list[dict[str, str]]:
        """What a `picture` element lists, best format first: its type and its `srcset`."""
        files: dict[str, dict[str, str]] = self.artwork.get("files", {})
        return [
            {
                "type": f"image/{kind}",
                "srcset": ", ".join(
                    f"{default_storage.url(name)} {width}w" for width, name in names.items()
                ),
            }
            for kind, names in files.items()
        ]

    @property
    def artwork_url(self) -> str:
        """The middle JPEG, for readers that take one address; empty without artwork."""
        names = self.artwork.get("files", {}).get("jpeg", {})
        return default_storage.url(names["640"]) if names else ""

    def text(self, language: str = "") -> "BenefitText | None":
        """Its words in `language`, else in the nearest language there is, else none.

        Reads `self.texts.all()`, so a prefetch serves any number of cards.
        """
        by_language = {text.language: text for text in self.texts.all()}
        for wanted in language_chain(language or get_language() or "en"):
            if wanted in by_language:
                return by_language[wanted]
        return next(iter(by_language.values()), None)


# What ends or begins the use of other kinds.
TICKET_LIFE = ("valid_days", "usable_from", "usable_until", "usable_after_days")

# Languages that benefits are written in; the first is what every benefit has.
WRITTEN_LANGUAGES = ("en", "zh-hans", "zh-hant", "zh-hant-hk", "fil")


class BenefitText(models.Model):
    """A benefit's words in one language."""

    benefit = models.ForeignKey(Benefit, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=10)
    title = models.CharField(_("title"), max_length=80)
    subtitle = models.CharField(_("one line"), max_length=140, blank=True)
    kicker = models.CharField(_("small line above the title"), max_length=60, blank=True)
    description = models.TextField(_("what you get"), blank=True)
    # Up to four {"title", "text"} each.
    features = models.JSONField(_("features"), default=list, blank=True)
    steps = models.JSONField(_("how to use it"), default=list, blank=True)
    terms = models.TextField(_("terms"), blank=True)
    artwork_alt = models.CharField(_("what the picture shows"), max_length=140, blank=True)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.UniqueConstraint(
                fields=["benefit", "language"], name="benefits_text_one_per_language"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language}: {self.title}"


class BenefitTerms(models.Model):
    """The terms as they stood when published. Never changed: claims point at them."""

    benefit = models.ForeignKey(Benefit, on_delete=models.PROTECT, related_name="published_terms")
    version = models.CharField(max_length=20)
    # {language: {"title", "terms"}}
    texts = models.JSONField(default=dict)
    # The share stated then is the share given back.
    return_percent = models.PositiveSmallIntegerField(default=80, db_default=80)
    published_at = models.DateTimeField()

    class Meta:
        verbose_name = _("published terms")
        verbose_name_plural = _("published terms")
        constraints = [
            models.UniqueConstraint(
                fields=["benefit", "version"], name="benefits_terms_one_per_version"
            ),
        ]

    def __str__(self) -> str:
        return self.version

    def text(self, language: str) -> dict[str, Any]:
        for wanted in language_chain(language):
            if wanted in self.texts:
                found: dict[str, Any] = self.texts[wanted]
                return found
        return next(iter(self.texts.values()), {"title": "", "terms": ""})


class BenefitEvent(models.Model):
    """One change of a benefit: who, why, when, from what to what."""

    benefit = models.ForeignKey(Benefit, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    cause = models.CharField(max_length=40)
    from_status = models.CharField(max_length=10, choices=Benefit.Status, blank=True)
    to_status = models.CharField(max_length=10, choices=Benefit.Status)
    facts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("benefit event")
        verbose_name_plural = _("benefit events")
        indexes = [models.Index(fields=["benefit", "at"], name="benefits_event_order")]

    def __str__(self) -> str:
        return f"{self.cause}: {self.to_status}"
