"""Who may open what: one row for every registered table, and every role on every row.

A table that somebody registers and nobody writes down here fails the first test.
"""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import make_operator, sign_in_operator
from zone.console.roles import ROLES
from zone.console.services.groups import setup_groups

pytestmark = pytest.mark.django_db
ALL = set(ROLES)
CATALOGUE = ALL
PEOPLE = {"support", "auditor", "platform"}
MONEY = {"support", "finance", "auditor"}
MESSAGES = {"support", "auditor"}
PARTNERS = {"auditor", "partner manager", "platform"}
OPERATORS = {"auditor", "platform"}
BOOKS = {"viewer", "editor", "approver", "finance", "auditor", "platform"}

# Who may read each room's tables, and the tables that differ from their room.
READERS_OF_ROOM = {
    "benefits": CATALOGUE,
    "members": PEOPLE,
    "history": MONEY,
    "credits": MONEY,
    "notices": MESSAGES,
    "partners": PARTNERS,
    "auth": OPERATORS,
    "otp_totp": OPERATORS,
}
READERS_OF_TABLE = {
    "notices.announcement": MESSAGES | {"editor", "approver"},
    "console.auditevent": OPERATORS,
    "console.operatorsession": OPERATORS,
    "console.bookscheck": BOOKS,
    "core.stuckrow": BOOKS,
}
# What each role may add. Everything else answers 403 to it, whatever a form says.
ADDERS_OF_ROOM = {
    "benefits": {"editor"},
    "members": set(),
    "history": {"finance"},
    "credits": {"finance"},
    "notices": set(),
    "partners": {"partner manager"},
    "auth": set(),
    "otp_totp": set(),
    "console": set(),
}
ADDERS_OF_TABLE = {
    "auth.user": {"platform"},
    "members.wallet": {"platform"},
    "credits.freeze": {"support", "finance"},
    "notices.announcement": {"editor"},
}
# The console's own pages: which roles get 200.
PAGES = {
    "/console/": ALL,
    "/console/password_change/": ALL,
    "/console/password_change/done/": ALL,
    "/console/jsi18n/": ALL,
    "/console/step-up": ALL,
    "/console/liability": MONEY,
    "/console/liability.csv": MONEY,
}
# Reached by POST, or through an object; each has a test of its own.
TESTED_ELSEWHERE = {
    "login/", "logout/", "verify", "enrol", "leave", "books/check", "autocomplete/",
    "members/<str:public_id>/timeline", "members/<str:public_id>/unmask",
    "r/<path:content_type_id>/<path:object_id>/",
}  # fmt: skip


def registered():
    return sorted(admin.site._registry, key=lambda model: model._meta.label_lower)


def label(model) -> str:
    return model._meta.label_lower


def list_page(model) -> str:
    return f"/console/{model._meta.app_label}/{model._meta.model_name}/"


def readers(model) -> set[str]:
    return READERS_OF_TABLE.get(label(model)) or READERS_OF_ROOM.get(model._meta.app_label, set())


def adders(model) -> set[str]:
    if label(model) in ADDERS_OF_TABLE:
        return ADDERS_OF_TABLE[label(model)]
    return ADDERS_OF_ROOM.get(model._meta.app_label, set())


def test_every_table_is_in_the_table():
    unknown = [label(model) for model in registered() if not readers(model)]
    assert unknown == []


def test_every_address_of_the_site_is_in_the_table():
    site = next(
        part for part in get_resolver().url_patterns
        if isinstance(part, URLResolver) and str(part.pattern) == "console/"
    )  # fmt: skip
    tables = {f"{model._meta.app_label}/{model._meta.model_name}/" for model in registered()}
    known = {page.removeprefix("/console/") for page in PAGES} | TESTED_ELSEWHERE | tables
    patterns = {
        str(part.pattern)
        for part in site.url_patterns
        if isinstance(part, URLPattern | URLResolver)
    }
    left = {
        each for each in patterns - known if not each.startswith(("^(?P<app_label>", "(?P<url>"))
    }
    assert left == set()


@pytest.mark.parametrize("role", sorted(ALL))
def test_a_role_opens_its_lists_and_no_other(client, role):
    sign_in_operator(client, make_operator(role))
    wrong = {}
    for model in registered():
        page = client.get(list_page(model))
        expected = 200 if role in readers(model) else 403
        if page.status_code != expected:
            wrong[label(model)] = (page.status_code, expected)
    assert wrong == {}


@pytest.mark.parametrize("role", sorted(ALL))
def test_a_role_adds_only_what_it_may(client, role):
    sign_in_operator(client, make_operator(role))
    wrong = {}
    for model in registered():
        page = client.get(f"{list_page(model)}add/")
        may_add = role in adders(model)
        # A read-only table refuses even those who hold the right.
        if page.status_code not in ({200, 403} if may_add else {403, 404}):
            wrong[label(model)] = page.status_code
    assert wrong == {}


@pytest.mark.parametrize("role", sorted(ALL))
def test_the_pages_of_the_console(client, role):
    sign_in_operator(client, make_operator(role))
    for page, roles in PAGES.items():
        assert client.get(page).status_code == (200 if role in roles else 403), page


@pytest.mark.parametrize("role", ["", *sorted(ALL)])
def test_without_a_second_factor_nothing_opens(client, role):
    operator = make_operator(role)
    client.force_login(operator, backend="django.contrib.auth.backends.ModelBackend")

    for model in registered():
        page = client.get(list_page(model))
        assert page.status_code == 302, label(model)
        assert page["Location"].startswith("/console/login/"), label(model)


def test_a_stranger_sees_the_way_in_and_nothing_else(client):
    for model in registered():
        assert client.get(list_page(model))["Location"].startswith("/console/login/")
    assert client.get("/console/nothing-here/")["Location"].startswith("/console/login/")


def test_no_role_deletes_operators_or_their_deeds():
    setup_groups()
    held = Permission.objects.filter(group__isnull=False, codename__startswith="delete_")
    assert set(held.values_list("codename", flat=True)) == {"delete_operatorscope"}


def test_only_operators_may_be_changed_by_the_platform_role():
    setup_groups()
    changers = Permission.objects.filter(codename__in=["change_user", "change_group"])
    for permission in changers:
        roles = set(permission.group_set.values_list("name", flat=True))
        assert roles <= {"platform"}, permission
    assert changers.get(codename="change_user").group_set.count() == 1
