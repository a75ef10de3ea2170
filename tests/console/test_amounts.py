"""Every amount in the console is typed and read as people write it; no page asks for minor units."""

from itertools import chain

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import FieldError
from django.db import models
from django.test import RequestFactory

from benefits import rule_drafts
from benefits.models import Benefit, Budget
from benefits.models.kinds import KINDS
from tests.benefits.factories import make_benefit
from tests.factories import make_operator, sign_in_operator
from zone.console.said import MONEY
from zone.core.money_forms import BIGINT_MAX, MoneyField

# Whole numbers of tables with a currency that are no money.
NO_MONEY = {
    "benefits.benefit": {
        "price_credits", "per_member", "usable_after_days", "valid_days", "return_percent",
        "snooze_days", "thanks_credits", "sort_weight",
    },
    "benefits.bundle": {"picks", "within_days", "spent_days"},
    "benefits.bundleitem": {"position"},
    "benefits.budgetshare": {"basis_points"},
    "benefits.pricerow": {"position", "price_credits"},
    "benefits.quota": {"allowed", "pause_minutes"},
    "benefits.release": {"per_member", "price_credits", "refill_percent"},
    "benefits.stampchoice": {"position"},
    "benefits.stampboard": {"needed", "day_cap", "month_cap"},
    "credits.earnbonus": {"percent", "times_max"},
    "credits.earnrule": {"every", "credits"},
    "credits.mission": {"reward"},
    "credits.unitcost": {"funder"},
    "history.charge": {"credits_earned"},
    "history.refund": {"credits_taken"},
    "history.subscription": {"expiration_intent"},
    "members.wallet": {"sort_weight"},
}  # fmt: skip
# In a currency: what is typed, and the minor units it means; None where it is refused.
TYPED = [
    ("HKD", "30.00", 3000), ("HKD", "30", 3000), ("HKD", "1,250.5", 125050), ("HKD", "0.07", 7),
    ("JPY", "30", 30), ("JPY", "30.00", None), ("KWD", "1.234", 1234), ("KWD", "2", 2000),
    ("HKD", "30.005", None), ("HKD", "HK$30", None), ("HKD", "-3", None), ("HKD", "1e3", None),
    ("HKD", "12,5", None), ("HKD", "thirty", None), ("HKD", "NaN", None), ("HKD", "\u0663\u0660", None),
    ("HKD", f"{BIGINT_MAX + 1}", None), ("JPY", f"{BIGINT_MAX + 1}", None), ("HKD", "9" * 60, None),
    ("XXX", "30", None),
]  # fmt: skip
pytestmark = pytest.mark.django_db


def forms_of(model, model_admin, request):
    """The form of a table and those of the rows inside its page, with the rows' table."""
    try:
        yield model, model_admin.get_form(request, None)
    except FieldError:
        assert not model_admin.has_add_permission(request), "a page that is only read"
    for inline in model_admin.get_inline_instances(request, None):
        yield inline.model, inline.get_formset(request, None).form


def every_form():
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("root")
    for model, model_admin in admin.site._registry.items():
        kinds = KINDS if model is Benefit else [""]
        for kind in kinds:
            request.GET = {"kind": kind}
            yield from forms_of(model, model_admin, request)


def parent_data(path, currency):
    """Where a form finds the currency: in its own field, or in that of the page it stands on."""
    return {path.rpartition(".")[2]: currency}


def every_amount():
    """`(form, name of the amount, name of the currency)` of each amount that can be typed."""
    found = {}
    for model, form in every_form():
        label = model._meta.label_lower
        made = form()
        for name, field in made.fields.items():
            assert "minor" not in f"{field.label} {field.help_text}".lower(), (label, name)
            if isinstance(field, MoneyField):
                path = MONEY.get(label, {}).get(name) or field.currency_field
                found[label, name, getattr(form, "kind_code", "")] = form, name, path
    return found


def has_currency(model):
    near = [model, *(column.related_model for column in model._meta.fields if column.related_model)]
    near = [each for each in near if each in (model, *_owners(model))]
    return any("currency" in column.name for each in near for column in each._meta.fields)


def _owners(model):
    return [
        owner for owner, its in admin.site._registry.items()
        if any(inline.model is model for inline in its.inlines)
    ]  # fmt: skip


def test_no_whole_number_beside_a_currency_is_overlooked():
    looked, overlooked = 0, set()
    for model, form in every_form():
        if not has_currency(model):
            continue
        label = model._meta.label_lower
        for name in form().fields:
            column = next((one for one in model._meta.fields if one.name == name), None)
            if not isinstance(column, models.IntegerField) or name in NO_MONEY.get(label, ()):
                continue
            looked += 1
            if name not in MONEY.get(label, {}) or not isinstance(form().fields[name], MoneyField):
                overlooked.add(f"{label}.{name}")
    assert not overlooked, "money, or no money? " + ", ".join(sorted(overlooked))
    assert looked >= 8


def test_every_amount_is_read_in_its_currency_and_nonsense_is_refused():
    amounts = every_amount()
    assert len(amounts) >= 12, sorted(amounts)
    for (label, _, kind), (form, name, path) in amounts.items():
        for currency, typed, meant in TYPED:
            data = {name: typed, **parent_data(path, currency)}
            if label == "credits.mission":
                data["metric"] = "amount"
            bound = form(data)
            faults = bound.errors.get(name, [])
            where = (label, name, kind, currency, typed, faults)
            if meant is None or meant > bound.fields[name].max_value:
                assert faults, where
                assert "integer" not in " ".join(faults), where
            else:
                assert not faults, where
                assert bound.cleaned_data.get(name, meant) == meant, where


def test_the_greatest_amount_a_column_takes_is_taken_and_the_next_one_refused():
    for (label, name, kind), (form, _, path) in every_amount().items():
        most = form().fields[name].max_value
        column = next((one for one in form._meta.model._meta.fields if one.name == name), None)
        if column is not None:
            is_big = "BigInteger" in column.get_internal_type()
            assert is_big == (most == BIGINT_MAX), (label, name)
        data = {**parent_data(path, "JPY"), "metric": "amount"}
        assert name not in form({**data, name: str(most)}).errors, (label, name, kind)
        assert name in form({**data, name: str(most + 1)}).errors, (label, name, kind)


def test_an_operator_types_major_units_and_reads_them_again(client):
    sign_in_operator(client, make_operator("editor"))
    page = "/console/benefits/budget/add/"
    typed = {
        "code": "spring", "name": "Spring", "currency": "HKD", "amount": "30.005",
        "shares-TOTAL_FORMS": "1", "shares-INITIAL_FORMS": "0", "shares-0-funder": "apple",
        "shares-0-basis_points": "10000",
    }  # fmt: skip
    refused = client.post(page, typed)
    assert "HKD has 2 decimals at most." in refused.content.decode()
    assert 'value="30.005"' in refused.content.decode()
    assert not Budget.objects.exists()
    assert client.post(page, {**typed, "amount": "1,030.00"}).status_code == 302
    budget = Budget.objects.get()
    assert budget.amount == 103_000
    shown = client.get(page.replace("add", f"{budget.pk}/change")).content.decode()
    assert 'value="1030.00"' in shown


def test_who_only_reads_a_benefit_reads_its_amounts_in_words(client):
    benefit = make_benefit(detail={"currency": "KWD", "amount_off": 1500})
    sign_in_operator(client, make_operator("viewer"))
    page = client.get(f"/console/benefits/benefit/{benefit.pk}/change/").content.decode()
    assert "1.500" in page
    assert "1500" not in page


def test_the_rule_builder_rounds_nothing():
    for currency, typed, meant in TYPED:
        leaf = rule_drafts.DraftLeaf(
            "spending", {"amount": [typed], "currency": [currency], "days": ["30"]}
        )
        tree = rule_drafts.to_tree(rule_drafts.DraftGroup(needs_all=True, parts=[leaf]))
        if meant is None or meant > 10**9:
            assert tree is None, (currency, typed)
        elif tree is not None:
            assert next(iter(chain(tree["all"])))["amount"] == meant
