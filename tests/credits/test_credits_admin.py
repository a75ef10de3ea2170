"""Operators read the books and cannot change them; earn rules are theirs to edit."""

import pytest
from django.urls import reverse

from credits import ledger
from tests.credits.conftest import rows, standing
from tests.factories import make_operator, sign_in_operator
from zone.core.ids import public_id_of, uuid7


@pytest.fixture
def console(client, db):
    operator = make_operator()
    operator.is_superuser = True
    operator.save()
    sign_in_operator(client, operator)
    return client


def test_every_book_is_listed_searched_and_opened(console, alice):
    earned, held = uuid7(), uuid7()
    ledger.earn(member_id=alice.pk, op_id=earned, amount=50)
    ledger.hold(member_id=alice.pk, op_id=held, amount=20, related="clm_A")
    for model, key, term in (
        ("account", str(alice.pk), alice.public_id),
        ("entry", f"{alice.pk}-{earned}", public_id_of("cen", earned)),
        ("heldcredits", f"{alice.pk}-{held}", public_id_of("hld", held)),
    ):
        changelist = reverse(f"admin:credits_{model}_changelist")
        for query in ({}, {"q": alice.public_id}, {"q": term}):
            page = console.get(changelist, query)
            assert page.status_code == 200
            assert alice.public_id in page.content.decode()
        assert "0 " in console.get(changelist, {"q": "mbr_nobody"}).content.decode()
        assert console.get(reverse(f"admin:credits_{model}_change", args=[key])).status_code == 200
        assert console.get(reverse(f"admin:credits_{model}_add")).status_code == 403


def test_no_form_changes_the_books(console, alice):
    earned = uuid7()
    ledger.earn(member_id=alice.pk, op_id=earned, amount=50)
    before = standing(alice.pk)
    key = f"{alice.pk}-{earned}"
    for action in ("change", "delete"):
        address = reverse(f"admin:credits_entry_{action}", args=[key])
        assert console.post(address, {"available_change": "9", "post": "yes"}).status_code == 403
    assert standing(alice.pk) == before


def test_a_rule_is_edited_as_data(console):
    [rule] = rows("SELECT id FROM credits_earnrule WHERE currency = 'CNY'")
    answer = console.post(
        reverse("admin:credits_earnrule_change", args=rule),
        {
            "kind": "purchase", "name": "Two per yuan", "currency": "CNY", "unit_amount": "100",
            "credits": "2", "rounding": "down", "is_active": "on", "minimum_amount": "0", "every": "1",
            "starts_at_0": "", "starts_at_1": "", "ends_at_0": "", "ends_at_1": "",
        },
    )  # fmt: skip
    assert answer.status_code == 302
    assert rows("SELECT name, credits FROM credits_earnrule WHERE currency = 'CNY'") == [
        ("Two per yuan", 2)
    ]
