"""The audit log: every change by an operator is on it, and nothing on it can be changed."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction

from tests.factories import make_operator, sign_in_operator
from zone.console.models import AuditEvent, OperatorScope
from zone.console.scopes import WALLET_PATHS, in_scope
from zone.console.services import audit
from zone.members.models import Wallet

pytestmark = pytest.mark.django_db


def last_event() -> AuditEvent:
    return AuditEvent.objects.order_by("-id")[0]


def test_a_change_is_logged_with_before_and_after(client):
    platform, colleague = make_operator("platform"), make_operator("support")
    sign_in_operator(client, platform)
    auditors = Group.objects.get(name="auditor")
    form = {
        "username": colleague.username,
        "email": "new@example.com",
        "is_active": "on",
        "is_staff": "on",
        "groups": [auditors.pk],
        "scope-TOTAL_FORMS": "0",
        "scope-INITIAL_FORMS": "0",
    }

    answer = client.post(f"/console/auth/user/{colleague.pk}/change/", form)

    assert answer.status_code == 302, answer.context["errors"]
    event = last_event()
    support = Group.objects.get(name="support")
    assert event.action == "changed"
    assert event.actor == f"operator:{platform.username}"
    assert (event.object_type, event.object_id) == ("auth.user", str(colleague.pk))
    assert event.before == {"email": "", "groups": [str(support.pk)]}
    assert event.after == {"email": "new@example.com", "groups": [str(auditors.pk)]}
    assert event.request_id == answer["Request-Id"]


def test_a_password_never_reaches_the_log(client):
    sign_in_operator(client, make_operator("platform"))
    colleague = make_operator("support", password="first long password")
    form = {
        "password1": "a second long password",
        "password2": "a second long password",
        "usable_password": "true",
    }

    answer = client.post(f"/console/auth/user/{colleague.pk}/password/", form)

    assert answer.status_code == 302
    assert AuditEvent.objects.filter(object_id=str(colleague.pk)).exists()
    logged = str(list(AuditEvent.objects.values("before", "after", "reason")))
    colleague.refresh_from_db()
    assert colleague.password not in logged
    assert "second long" not in logged


def test_an_action_is_logged_with_the_rows_it_was_asked_for(client):
    sign_in_operator(client, make_operator("platform"))
    colleague = make_operator("support")
    form = {"action": "end_open_sessions", "_selected_action": [colleague.pk], "index": "0"}

    client.post("/console/auth/user/", form)

    event = last_event()
    assert event.action == "action.end_open_sessions"
    assert event.after["ids"] == [str(colleague.pk)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE console_auditevent SET actor = 'nobody'",
        "DELETE FROM console_auditevent",
        "TRUNCATE console_auditevent",
    ],
)
def test_nothing_on_the_log_changes(client, statement):
    sign_in_operator(client, make_operator("platform"))
    client.post("/console/logout/")
    before = list(AuditEvent.objects.values())

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert list(AuditEvent.objects.values()) == before


def test_a_row_added_with_a_false_number_still_takes_the_next_one(client):
    sign_in_operator(client, make_operator("platform"))
    client.post("/console/logout/")

    event = AuditEvent.objects.create(id=9_999, at=last_event().at, actor="x", action="y")

    assert event.pk in {9_999, 2}  # What Django was told; the database knows better.
    assert list(AuditEvent.objects.order_by("id").values_list("id", flat=True)) == [1, 2]
    assert audit.list_broken_events() == []


def test_an_operator_of_one_wallet_sees_no_other(client, alice):
    operator = make_operator("support")
    scope = OperatorScope.objects.create(user=operator)
    scope.wallets.set([Wallet.objects.get(code="GCASH")])
    sign_in_operator(client, operator)

    page = client.get(f"/console/members/{alice.public_id}/timeline")

    assert page.status_code == 404


def test_nobody_edits_themselves_or_a_superuser(client):
    platform, root = make_operator("platform"), make_operator()
    root.is_superuser = True
    root.save(update_fields=["is_superuser"])
    sign_in_operator(client, platform)

    for operator in (platform, root):
        page = client.get(f"/console/auth/user/{operator.pk}/change/")
        assert page.context["has_change_permission"] is False
        form = {"password1": "a second long password", "password2": "a second long password"}
        assert client.post(f"/console/auth/user/{operator.pk}/password/", form).status_code == 403


def test_every_table_of_a_wallet_or_a_member_is_in_scope():
    """A table that names a wallet or a member and is forgotten in the paths would leak."""
    forgotten = [
        model._meta.label_lower
        for model in admin.site._registry
        if {"wallet", "member"} & {field.name for field in model._meta.fields}
        and model._meta.label_lower not in WALLET_PATHS
    ]
    assert forgotten == []


def test_every_path_to_a_wallet_is_a_query_that_runs(alice):
    operator = make_operator("auditor")
    OperatorScope.objects.create(user=operator).wallets.set(["GCASH"])
    for label in WALLET_PATHS:
        assert list(in_scope(apps.get_model(label).objects.all(), operator)[:1]) in (
            [],
            [Wallet(code="GCASH")],
        )


def test_the_log_is_checked_by_a_button_and_says_what_was_touched(client, monkeypatch):
    sign_in_operator(client, make_operator("auditor"))
    check = "/console/console/auditevent/check"
    assert client.get(check).status_code == 403
    said = client.post(check, follow=True).content.decode()
    assert "are as they were written; none is missing" in said
    touched = last_event()
    monkeypatch.setattr(audit, "list_broken_events", lambda: [touched.pk])
    said = client.post(check, follow=True).content.decode()
    assert f"Changed or cut off, by number: {touched.pk}" in said


def test_deeds_are_read_by_name(client, alice):
    """The button that was pressed, the table, and what a column held: nothing by its code."""
    operator = make_operator("support")
    sign_in_operator(client, operator)
    client.post("/console/members/member/", {"action": "suspend", "_selected_action": [alice.pk]})
    sign_in_operator(client, make_operator("auditor"))
    listed = client.get("/console/console/auditevent/").content.decode()
    assert "Pause and sign out everywhere" in listed
    assert "action.suspend" not in listed.replace("?action=action.suspend", "")
    found = client.get("/console/console/auditevent/", {"q": operator.username})
    assert found.context["cl"].result_count == 1
    page = client.get(f"/console/console/auditevent/{last_of('action.suspend').pk}/change/")
    assert "<dd>member</dd>" in page.content.decode()


def last_of(action):
    return AuditEvent.objects.filter(action=action).latest("pk")


def test_the_history_of_a_row_is_what_the_log_says_of_it(client, alice):
    platform, colleague = make_operator("platform"), make_operator("viewer")
    sign_in_operator(client, platform)
    page = f"/console/auth/user/{colleague.pk}"
    client.post(
        f"{page}/password/",
        {"password1": "a second long password", "password2": "a second long password"},
    )
    listed = client.get(f"{page}/history/", follow=True)
    assert listed.status_code == 200
    found = list(listed.context["cl"].result_list)
    assert found
    assert {(each.object_type, each.object_id) for each in found} == {
        ("auth.user", str(colleague.pk))
    }
    sign_in_operator(client, make_operator("support"))
    place = f"/console/members/member/{alice.pk}"
    assert f"{place}/history/" not in client.get(f"{place}/change/").content.decode()
    assert client.get(f"{place}/history/").status_code == 403
