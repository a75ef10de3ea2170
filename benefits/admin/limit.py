"""Limits over time, price rows, and money budgets with who bears them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Max, Sum
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.models import Budget, BudgetShare, BudgetUse, PriceRow, Quota
from credits.queries.tiers import find_plan
from zone.core.money import format_money
from zone.core.money_forms import money_text

WHOLE_BASIS_POINTS = 10_000


def tier_choices() -> list[tuple[str, str]]:
    """The tiers of the plan in force, lowest first, and none of them."""
    plan = find_plan()
    return [("", "–"), *((tier.code, tier.name) for tier in (plan.tiers if plan else ()))]


class TierForm(forms.ModelForm):  # type: ignore[type-arg]
    """Offers the tiers of the plan in force; one that a newer plan no longer has stays as it is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = tier_choices()
        # A row that is not stored yet has the database's default, which is none of them.
        stored = self.instance.tier if self.instance.pk else ""
        if stored and stored not in dict(choices):
            choices.append((stored, stored))
        label = self._meta.model._meta.get_field("tier").verbose_name
        self.fields["tier"] = forms.ChoiceField(choices=choices, required=False, label=label)


class PriceRowForm(TierForm):
    class Meta:
        model = PriceRow
        fields = ("position", "tier", "segment", "wallet", "price_credits")


class QuotaForm(TierForm):
    class Meta:
        model = Quota
        fields = (
            "holder", "period", "allowed", "pause_minutes", "release", "wallet", "tier",
            "time_zone", "is_active",
        )  # fmt: skip

    def clean_allowed(self) -> int:
        """No lower than what somebody has used already."""
        allowed: int = self.cleaned_data["allowed"]
        if self.instance.pk:
            used = self.instance.uses.aggregate(most=Max("used"))["most"] or 0
            if allowed < used:
                raise ValidationError(
                    _("%(used)s are used in one window already; the limit cannot be lower.")
                    % {"used": used}
                )
        return allowed

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        is_pause = values.get("period") == Quota.Period.COOLDOWN
        if is_pause != bool(values.get("pause_minutes")):
            self.add_error("pause_minutes", _("A pause, and only a pause, has minutes."))
        if is_pause and values.get("allowed") != 1:
            self.add_error("allowed", _("A pause comes after each single claim."))
        release = values.get("release")
        if release is not None and release.benefit_id != self.instance.benefit_id:
            self.add_error("release", _("That release is of another benefit."))
        return values


class QuotaInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Quota
    form = QuotaForm
    extra = 0
    can_delete = False  # Its windows name it; switch it off instead.
    raw_id_fields = ("release",)


class PriceRowInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PriceRow
    form = PriceRowForm
    extra = 0


class ShareFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def clean(self) -> None:
        """Every cost is borne by somebody, and by nobody twice."""
        super().clean()
        if any(self.errors):
            return
        whole = sum(
            form.cleaned_data.get("basis_points") or 0
            for form in self.forms
            if not form.cleaned_data.get("DELETE")
        )
        if whole != WHOLE_BASIS_POINTS:
            raise ValidationError(
                _("The shares make %(whole)s; they have to make 10000.") % {"whole": whole}
            )


class ShareInline(admin.TabularInline):  # type: ignore[type-arg]
    model = BudgetShare
    formset = ShareFormSet
    extra = 1


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Budget
        fields = ("code", "name", "currency", "amount")

    def clean_amount(self) -> int:
        amount: int = self.cleaned_data["amount"]
        spent = Budget.objects.filter(pk=self.instance.pk).aggregate(n=Max("spent"))["n"] or 0
        if amount < spent:
            currency = self.cleaned_data.get("currency") or self.instance.currency
            said = money_text(spent, currency)
            raise ValidationError(_("%(spent)s are spent already.") % {"spent": said})
        return amount


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = BudgetForm
    list_display = ("code", "name", "amount_shown", "spent_shown", "left_shown")
    search_fields = ("code", "name")
    readonly_fields = ("spent_shown", "left_shown", "by_funder")
    inlines = (ShareInline,)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=gettext_lazy("amount"))
    def amount_shown(self, budget: Budget) -> str:
        return format_money(budget.amount, budget.currency, "en")

    @admin.display(description=gettext_lazy("spent"))
    def spent_shown(self, budget: Budget) -> str:
        return format_money(budget.spent, budget.currency, "en") if budget.pk else "–"

    @admin.display(description=gettext_lazy("left"))
    def left_shown(self, budget: Budget) -> str:
        if not budget.pk:
            return "–"
        return format_money(budget.amount - budget.spent, budget.currency, "en")

    @admin.display(description=gettext_lazy("by funder"))
    def by_funder(self, budget: Budget) -> str:
        rows = BudgetUse.objects.filter(budget=budget.pk).values_list("funder")
        parts = [
            (funder, format_money(amount, budget.currency, "en"))
            for funder, amount in rows.annotate(Sum("amount")).order_by("funder")
        ]
        return format_html_join(" · ", "{}: {}", parts) or "–"
