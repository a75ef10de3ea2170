"""A benefit's own fields, with the partners that may grant it by name."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.markets import read_storefronts, read_wallets
from benefits.models import Benefit
from benefits.models.benefit import TICKET_LIFE
from benefits.models.kinds import DRAW_TICKET, KINDS, PERIODS, WALLET_VOUCHER, DetailField
from benefits.queries import with_gap_in
from benefits.queries.draws import list_enterable_draws
from benefits.services.bin import RESTORE_WITHIN
from zone.core.clock import database_now
from zone.core.money_forms import MoneyField
from zone.partners.models import Partner

DETAIL_PREFIX = "detail_"
AMOUNT_MAX = 1_000_000_000_000  # minor units


def detail_names(kind_code: str) -> list[str]:
    """The form's names of what a kind of benefit asks for."""
    kind = KINDS.get(kind_code)
    return [DETAIL_PREFIX + field.name for field in kind.fields] if kind else []


def _input_of(field: DetailField, value: Any) -> forms.Field:
    common = {"label": field.label, "required": field.is_required, "initial": value}
    match field.shape:
        case "money":
            typed = MoneyField(min_value=1, max_value=AMOUNT_MAX, needs_currency=True, **common)
            typed.currency_field = DETAIL_PREFIX + field.currency
            return typed
        case "amount":
            return forms.IntegerField(min_value=1, max_value=AMOUNT_MAX, **common)
        case "flag":
            return forms.BooleanField(**{**common, "required": False})
        case "period":
            return forms.ChoiceField(choices=[(period, period) for period in PERIODS], **common)
        case "draw":
            return forms.ChoiceField(
                choices=_draw_choices(value),
                help_text=_(
                    "Draws that take entries by ticket. Announce one on the prize's release first."
                ),
                **common,
            )
    return forms.CharField(max_length=120, **common)


def _draw_choices(chosen: str | None) -> list[tuple[str, str]]:
    """Draws by what is won there and when entries close; the one that was chosen stays."""
    choices = [("", "---------")]
    for draw in list_enterable_draws(now=database_now()):
        prize = draw.release.benefit
        title = text.title if (text := prize.text()) else prize.slug
        when = date_format(localtime(draw.entries_close_at), "SHORT_DATETIME_FORMAT")
        name = _("%(title)s, entries until %(when)s") % {"title": title, "when": when}
        choices.append((draw.public_id, name))
    if chosen and chosen not in dict(choices):
        choices.append((chosen, chosen))
    return choices


class BenefitForm(forms.ModelForm):  # type: ignore[type-arg]
    kind_code = ""  # The admin sets it: of the benefit, or of the page that adds one.
    partners = forms.ModelMultipleChoiceField(
        queryset=Partner.objects.order_by("name"),
        required=False,
        label=gettext_lazy("Partners that may list and grant it"),
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Benefit
        fields = (
            "slug", "kind", "livemode", "hue", "price_credits", "per_member",
            "visible_from", "visible_until", "claimable_from", "claimable_until", "usable_from",
            "usable_after_days", "usable_until", "valid_days", "return_percent", "snooze_days",
            "thanks_credits", "requires_binding", "requires_adult", "is_giftable", "gift_counts_to_limit",
            "storefronts", "wallets", "funder", "unit_cost", "unit_cost_currency", "budget",
            "is_featured", "sort_weight", "terms_version", "only_for_stamps",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" not in self.fields:
            return  # Whoever only reads is shown the row, not this form.
        self.fields["partners"].initial = self.instance.partner_ids
        # The kind is chosen first and stays: its own fields hang on it.
        self.initial["kind"] = self.kind_code
        self.fields["kind"].disabled = True
        if self.kind_code == WALLET_VOUCHER:
            self.initial["is_giftable"] = False
            self.fields["is_giftable"].disabled = True
        if self.kind_code == DRAW_TICKET:
            self.initial.update(is_giftable=False, requires_adult=True)
            for name in ("is_giftable", "requires_adult", *TICKET_LIFE):
                self.fields[name].disabled = True
        kind = KINDS.get(self.kind_code)
        for field in kind.fields if kind else ():
            name = DETAIL_PREFIX + field.name
            self.fields[name] = _input_of(field, self.instance.detail.get(field.name))

    def clean(self) -> dict[str, Any]:
        """What the kind asks for goes into the benefit's detail; what is empty stays out of it."""
        values: dict[str, Any] = super().clean() or {}
        self._refuse_what_cannot_be_used(values)
        given = {
            name.removeprefix(DETAIL_PREFIX): value
            for name, value in values.items()
            if name.startswith(DETAIL_PREFIX)
        }
        self.instance.detail = {
            name: value for name, value in given.items() if value not in (None, "", False)
        }
        return values

    def _refuse_what_cannot_be_used(self, values: dict[str, Any]) -> None:
        """Whoever claims last has a day left between the days of waiting and the end."""
        wait, life = values.get("usable_after_days"), values.get("valid_days")
        if not wait:
            return
        if life is not None and wait > life:
            self.add_error("usable_after_days", _("It would end before it can be used."))
        ends_at, claims_end_at = values.get("usable_until"), values.get("claimable_until")
        if ends_at is None:
            return
        latest = ends_at - timedelta(days=wait + 1)
        if claims_end_at is None or claims_end_at > latest:
            self.add_error(
                "claimable_until",
                _("Claims have to end by %(when)s: what is claimed later could never be used.")
                % {"when": date_format(localtime(latest), "SHORT_DATETIME_FORMAT")},
            )

    def clean_wallets(self) -> list[str]:
        return read_wallets(self.cleaned_data["wallets"])

    def clean_storefronts(self) -> list[str]:
        return read_storefronts(self.cleaned_data["storefronts"])

    def clean_partners(self) -> QuerySet[Partner]:
        chosen: QuerySet[Partner] = self.cleaned_data["partners"]
        self.instance.partner_ids = sorted(partner.pk for partner in chosen)
        return chosen


class BinFilter(admin.SimpleListFilter):
    """Out of sight unless asked for; after thirty days a draft does not come back from there."""

    title = gettext_lazy("bin")
    parameter_name = "bin"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("in", gettext_lazy("In the bin"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Benefit]) -> QuerySet[Benefit]:
        if self.value() == "in":
            return queryset.filter(binned_at__gt=database_now() - RESTORE_WITHIN)
        return queryset.filter(binned_at=None)


class GapFilter(admin.SimpleListFilter):
    """What has words in English that another language of the site lacks."""

    title = gettext_lazy("words missing in")
    parameter_name = "gap"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(settings.LANGUAGES)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Benefit]) -> QuerySet[Benefit]:
        language = self.value()
        return with_gap_in(queryset, language) if language else queryset
