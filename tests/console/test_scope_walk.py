"""An operator of one wallet, on every page there is, and members of the others, of whom they see
nothing and with whom they can do nothing.

The pages come from the registry and each admin's own addresses, and which row is whose from the
foreign keys: a page or a table that somebody adds is walked by itself.
"""

import re
from collections import Counter
from contextlib import suppress
from itertools import islice

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.urls import NoReverseMatch, URLPattern, reverse

from benefits.models import Benefit, Gift
from credits import ledger
from credits.admin.books import MemberField
from credits.models import Account, HeldCredits
from tests.benefits.factories import make_benefit, make_release
from tests.factories import make_operator, sign_in_operator
from zone.console.models import OperatorScope
from zone.console.roles import ROLES
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Member, Wallet

OURS, ROWS_OF_A_TABLE, HOPS_MAX, CHOICES_MAX = "GCASH", 2, 3, 3
PUBLIC_ID = re.compile(r"\b[a-z]{3}_[0-9A-Za-z]{26}\b")
pytestmark = pytest.mark.slow
NO = {302, 403, 404, 405}


def ways_to(wanted, model, hops=HOPS_MAX) -> list[str]:
    """Every way by foreign keys from a table to another one."""
    if model is wanted:
        return [""]
    found = []
    for column in model._meta.fields:
        target = column.related_model
        if target is not None and target is not model and hops:
            found += [f"{column.name}__{way}" for way in ways_to(wanted, target, hops - 1)]
    return found


def ways_to_wallets(model) -> list[str]:
    return [f"{way}pk" for way in ways_to(Wallet, model)]


def foreign(model):
    """Rows of which a member, or a wallet, of somebody else is part."""
    others = Wallet.objects.exclude(pk=OURS).values("pk")
    wanted = Q(pk__in=[])
    for way in ways_to_wallets(model):
        wanted |= Q(**{f"{way}__in": others})
    names = {column.name for column in model._meta.fields}
    if "member_id" in names:
        wanted |= Q(member_id__in=Member.objects.filter(wallet__in=others).values("pk"))
    if "wallet_code" in names:
        wanted |= Q(wallet_code__in=others)
    for way in ways_to(Benefit, model) if not ways_to_wallets(model) else ():
        column = f"{way}wallets"
        wanted |= Q(**{f"{column}__len__gt": 0}) & ~Q(**{f"{column}__contains": [OURS]})
    return model._base_manager.filter(wanted)


def tables():
    return sorted(admin.site._registry.items(), key=lambda item: item[0]._meta.label_lower)


@pytest.fixture
def walk(seeded_database, client):
    """A seeded Zone, and an operator with every role there is but one wallet alone."""
    make_release(make_benefit(slug="for-all-wallets"), codes=2)
    operator = make_operator("viewer")
    operator.groups.set(Group.objects.filter(name__in=ROLES))
    OperatorScope.objects.create(user=operator).wallets.set([OURS])
    sign_in_operator(client, operator)
    for model, _admin in tables():
        if ways_to_wallets(model) and not foreign(model).exists():
            make_strange(model)
    return client


def make_strange(model) -> None:
    """A row of somebody else, with no more in it than its columns ask for."""
    if model is HeldCredits:  # A view.
        rich = foreign(Account).filter(available__gt=0).first()
        ledger.hold(member_id=rich.member_id, op_id=uuid7(), amount=1)
        return
    for number in (1, 0):  # Some counts may not be none, and some must be.
        with suppress(IntegrityError), transaction.atomic():
            row = model(**dict(needed(model, number)))
            if model is Gift:
                row.next_attempt_at = database_now()  # It is under way.
            model._base_manager.bulk_create([row])
            return
    raise AssertionError(f"{model} wants more than this")


def needed(model, number):
    strangers = iter(foreign(Member).order_by("pk").values_list("pk", flat=True))
    for column in model._meta.concrete_fields:
        target = column.related_model
        if target is not None:
            if column.null and target is not Wallet:
                continue
            if not target._base_manager.exists():
                make_strange(target)
            rows = foreign(target) if foreign(target).exists() else target._base_manager.all()
            first = rows.order_by("pk").values_list("pk", flat=True)[0]
            yield column.attname, next(strangers) if target is Member else first
        elif not (
            isinstance(column, models.AutoField)
            or column.null
            or column.has_default()
            or column.blank
        ):
            yield column.attname, plain_value(column, number)


def plain_value(column, number):
    if column.choices:
        return column.choices[0][0]
    now = database_now()
    kinds = {
        models.DateTimeField: now, models.DateField: now.date(), models.BooleanField: False,
        models.UUIDField: uuid7(), models.BinaryField: b"x", models.JSONField: {},
        models.IntegerField: number, models.CharField: "x", models.TextField: "x",
    }  # fmt: skip
    return next(value for kind, value in kinds.items() if isinstance(column, kind))


def list_of_pages(model, key) -> list[str]:
    """Every address of a table's own pages that takes one row."""
    found = []
    for pattern in admin.site._registry[model].get_urls():
        if isinstance(pattern, URLPattern) and pattern.name and pattern.pattern.converters:
            try:
                found.append(reverse(f"admin:{pattern.name}", args=[key]))
            except NoReverseMatch:
                continue
    return found


def test_nothing_of_another_wallet_is_seen(walk):
    secrets, seen, empty = set(), [], []
    for model in apps.get_models():
        if "public_id" in {column.name for column in model._meta.fields}:
            secrets |= set(foreign(model).values_list("public_id", flat=True))
    ours = Member.objects.filter(wallet=OURS)
    assert secrets
    assert ours.exists()

    def look(address: str, method="get"):
        page = getattr(walk, method)(address)
        body = b"".join(page.streaming_content) if page.streaming else page.content
        if named := secrets & set(PUBLIC_ID.findall(body.decode())):
            seen.append((address, sorted(named)[:2]))
        return page

    stranger = Member.objects.exclude(wallet=OURS).order_by("pk")[0]
    for address in ("", "liability", "liability.csv"):
        assert look(f"/console/{address}").status_code == 200
    for name in ("member_timeline", "member_unmask"):
        address = reverse(f"admin:{name}", args=[stranger.public_id])
        assert {look(address).status_code, look(address, "post").status_code} <= {404, 405}
    for model, model_admin in tables():
        listing = f"/console/{model._meta.app_label}/{model._meta.model_name}/"
        page = look(listing)
        assert page.status_code == 200, listing
        for spec in page.context["cl"].filter_specs:
            for choice in islice(spec.choices(page.context["cl"]), 1, CHOICES_MAX):
                assert look(listing + choice.get("query_string", "")).status_code in (200, 302)
        if model_admin.search_fields:
            found = look(f"{listing}?q={stranger.public_id}")
            # What was looked for stands in the box for searching; rows are links.
            assert found.context["cl"].result_count == 0, listing
            seen[:] = [each for each in seen if not each[0].endswith(stranger.public_id)]
        look(f"{listing}add/")
        keys = list(foreign(model).values_list("pk", flat=True)[:ROWS_OF_A_TABLE])
        rest = foreign(model).values("pk")
        open_keys = model._base_manager.exclude(pk__in=rest).values_list("pk", flat=True)[:1]
        if not keys and ways_to_wallets(model):
            empty.append(model._meta.label_lower)
        for key in keys:
            for address in list_of_pages(model, key):
                for method in ("get", "post"):
                    status = look(address, method).status_code
                    if status not in NO:
                        seen.append((method, address, status))
        for key in open_keys:
            for address in list_of_pages(model, key):
                look(address)
    assert seen == []
    assert empty == []


def picked_strangers(form_class, where: str) -> list[tuple[str, str]]:
    """Fields of a form that would take a row of somebody else."""
    stranger = Member.objects.exclude(wallet=OURS).order_by("pk")[0]
    taken = []
    for name, field in form_class.base_fields.items():
        queryset = getattr(field, "queryset", None)
        if queryset is not None:
            others = foreign(queryset.model).values("pk")
            if queryset.filter(pk__in=others).exists():
                taken.append((where, name))
        elif isinstance(field, MemberField):
            with pytest.raises(forms.ValidationError):
                field.clean(stranger.public_id)
    return taken


def test_nothing_is_done_with_another_wallet(walk, rf):
    request = walk.get("/console/").wsgi_request
    taken, done, asked = [], [], Counter()
    for model, model_admin in tables():
        name = model._meta.label_lower
        if model_admin.has_add_permission(request):
            form_class = model_admin.get_form(request, None, change=False, fields=None)
            taken += picked_strangers(form_class, name)
            asked["forms"] += 1
            for inline in model_admin.get_inline_instances(request, None):
                formset = inline.get_formset(request, None)
                taken += picked_strangers(formset.form, f"{name}/{inline.model.__name__}")
        listing = f"/console/{model._meta.app_label}/{model._meta.model_name}/"
        strange = foreign(model)
        before = list(strange.order_by("pk").values())
        keys = [row[model._meta.pk.attname] for row in before]
        for action in model_admin.get_actions(request):
            data = {"action": action, "_selected_action": keys[:ROWS_OF_A_TABLE] or [1]}
            for across in ("0", "1") if keys else ():
                walk.post(listing, {**data, "select_across": across, "index": "0"})
                asked["actions"] += 1
        ours = model._base_manager.exclude(pk__in=strange.values("pk"))
        if list(strange.order_by("pk").values()) != before:
            done.append(name)
        if not model_admin.has_add_permission(request):
            assert walk.post(f"{listing}add/", {}).status_code == 403, name
        # What is for members of other wallets too is read, and no button of it is there.
        for row in ours.order_by("-pk")[:ROWS_OF_A_TABLE]:
            if not ways_to_wallets(model) and not is_ours_alone(row):
                for verb in getattr(model_admin, "verbs", ()):
                    place = reverse(f"admin:{name.replace('.', '_')}_{verb.name}", args=[row.pk])
                    statuses = {walk.get(place).status_code, walk.post(place).status_code}
                    assert statuses == {403}, place
                    asked["verbs"] += 1
                page = walk.get(f"{listing}{row.pk}/change/")
                if page.status_code == 200:
                    assert page.context["has_change_permission"] is False, name
                    buttons = {str(label) for _url, label in page.context.get("verbs") or ()}
                    verbs = {str(verb.label) for verb in getattr(model_admin, "verbs", ())}
                    assert not buttons & verbs, name
    assert taken == []
    assert done == []
    assert min(asked["forms"], asked["actions"], asked["verbs"]) > 10, asked


def is_ours_alone(row) -> bool:
    """Whether what is written for wallets, or a list of members, is for ours and for no other."""
    if hasattr(row, "rows"):
        is_live = getattr(row, "kind", "") == "live"
        return not is_live and not row.rows.exclude(member__wallet=OURS).exists()
    for way in ("wallets", "benefit.wallets", "release.benefit.wallets"):
        found = row
        for part in way.split("."):
            found = getattr(found, part, None)
        if found is not None:
            return list(found) == [OURS]
    return False
