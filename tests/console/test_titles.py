"""Every row's page has a name an operator can use: no bare key of a table is shown as one."""

import uuid
from datetime import UTC, date, datetime, time

import pytest
from django.contrib import admin
from django.db import models

from tests.benefits.factories import give_credits
from tests.factories import make_operator, sign_in_operator
from zone.console.titles import TITLES, title_of
from zone.core.ids import uuid7

KEY = 987_654_321
# Called by names that somebody outside gave them, and which only look like keys of ours.
THEIRS = {"external_id", "client_id", "message_id", "order_id"}


def filled(model):
    """A row that was never stored: every key is `KEY`, everything else is something."""
    values = {}
    for column in model._meta.concrete_fields:
        match column:
            case models.JSONField():
                value = {"en": "word"}
            case models.DateTimeField():
                value = datetime(2026, 1, 5, 4, tzinfo=UTC)
            case models.DateField():
                value = date(2026, 1, 5)
            case models.TimeField():
                value = time(10)
            case models.UUIDField():
                value = uuid7()
            case models.CharField() | models.TextField() | models.SlugField():
                value = "word"
            case models.ForeignKey():
                target = column.target_field
                value = "code" if isinstance(target, models.CharField) else KEY
                value = uuid.uuid4() if isinstance(target, models.UUIDField) else value
            case models.IntegerField():
                is_key = column.primary_key or column.attname.endswith("_id")
                value = KEY if is_key and column.attname not in THEIRS else 7
            case _:
                continue
        values[column.attname] = value
    return model(**values)


def tables():
    return sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def test_no_page_is_called_by_a_key():
    keys = [
        model._meta.label
        for model in tables()
        if model._meta.label_lower not in TITLES
        and not model._meta.label_lower.startswith("otp_totp.")
        and str(KEY) in str(filled(model))
    ]
    assert keys == [], "say in zone/console/titles.py what these are called by"


def test_what_names_a_row_is_there_and_is_in_its_list():
    by_label = {model._meta.label_lower: model for model in tables()}
    assert set(TITLES) <= set(by_label)
    for label, names in TITLES.items():
        model = by_label[label]
        shown = {str(name) for name in admin.site._registry[model].list_display}
        # `deed` and `__str__` are readers of a column or of its row.
        readers = {"action": "deed"}
        for name in names:
            assert model._meta.get_field(name), (label, name)
            assert name in shown or readers.get(name) in shown, (label, name)


@pytest.mark.django_db
def test_an_account_is_called_by_its_members_public_id(client, alice):
    give_credits(alice, 5)
    sign_in_operator(client, make_operator("support"))
    page = client.get(f"/console/credits/account/{alice.pk}/change/").content.decode()
    assert f"<title>{alice.public_id} | " in page
    assert f"member {alice.pk}" not in page
    trail = page[page.index('class="breadcrumbs"') :]
    assert alice.public_id in trail[: trail.index("</div>")]
    assert alice.display_name not in title_of(type(alice).objects.get(pk=alice.pk))
