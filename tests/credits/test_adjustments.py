"""Corrections by hand: alone within a limit, by two people above it, once in any case."""

from datetime import timedelta
from functools import partial

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from credits.errors import InsufficientCredits
from credits.models import AdjustRequest
from credits.queries import get_balance, list_entries
from credits.services import adjustments
from tests.credits.conftest import broken, travel
from tests.factories import make_member, make_operator, sign_in_operator
from tests.threads import together


def _ask(member, maker, amount):
    request = AdjustRequest(member=member, amount=amount, reason="mistake", note="Ticket 7")
    adjustments.ask_for_adjustment(request, maker=maker)
    return request


def _apply(request, operator):
    return adjustments.apply_adjustment(request_id=request.pk, operator=operator)


def test_within_the_limit_one_person_is_enough(alice):
    maker = make_operator("finance")
    request = _ask(alice, maker, 1000)
    assert get_balance(alice).available == 0  # Asking moves nothing.
    assert _apply(request, maker).available == 1000
    request.refresh_from_db()
    assert (request.status, request.checker, request.limit_used) == ("applied", None, 1000)
    [entry] = list_entries(alice)
    assert (entry.op_id, entry.related) == (request.op_id, f"adj_{request.pk}")


@pytest.mark.parametrize("is_superuser", [False, True], ids=["finance", "superuser"])
def test_above_the_limit_nobody_approves_their_own(alice, is_superuser):
    maker, checker = make_operator("finance"), make_operator("finance")
    maker.is_superuser = is_superuser
    maker.save()
    request = _ask(alice, maker, 1001)
    with pytest.raises(adjustments.SecondPersonNeeded):
        _apply(request, maker)
    assert (get_balance(alice).available, list_entries(alice)) == (0, [])
    assert _apply(request, checker).available == 1001


def test_a_superuser_without_a_role_has_no_limit_of_their_own(alice):
    maker = make_operator()
    maker.is_superuser = True
    maker.save()
    with pytest.raises(adjustments.SecondPersonNeeded):
        _apply(_ask(alice, maker, 1), maker)


def test_slices_of_a_sum_count_together(alice):
    maker = make_operator("finance")
    _apply(_ask(alice, maker, 600), maker)
    with pytest.raises(adjustments.SecondPersonNeeded):
        _apply(_ask(alice, maker, -401), maker)
    with travel(timedelta(hours=25)):
        assert _apply(_ask(alice, maker, -401), maker).available == 199


def test_who_may_not_approve_does_not(alice):
    request = _ask(alice, make_operator("finance"), 5000)
    with pytest.raises(adjustments.MayNotApprove):
        _apply(request, make_operator("support"))
    assert get_balance(alice).available == 0


def test_a_request_is_good_for_a_day_and_for_one_decision(alice):
    maker, checker = make_operator("finance"), make_operator("finance")
    late, refused, applied = (_ask(alice, maker, 2000) for _ in range(3))
    adjustments.refuse_adjustment(request_id=refused.pk)
    _apply(applied, checker)
    for request in (refused, applied):
        with pytest.raises(adjustments.AdjustmentDecided):
            _apply(request, checker)
    with travel(timedelta(hours=24, seconds=1)), pytest.raises(adjustments.AdjustmentDecided):
        _apply(late, checker)
    assert get_balance(alice).available == 2000


def test_a_refusal_of_the_ledger_leaves_the_request_waiting(alice):
    maker = make_operator("finance")
    request = _ask(alice, maker, -5)
    with pytest.raises(InsufficientCredits):
        _apply(request, maker)
    request.refresh_from_db()
    assert (request.status, list_entries(alice)) == ("waiting", [])


@pytest.mark.parametrize("wrong", [{"checker": "maker"}, {"amount": 0}, {"note": ""}])
def test_the_database_has_the_last_word(alice, wrong):
    request = _ask(alice, make_operator("finance"), 5)
    values = {key: request.maker if value == "maker" else value for key, value in wrong.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        AdjustRequest.objects.filter(pk=request.pk).update(**values)


def test_two_approvals_at_once_apply_once(cloned_database):
    member, maker = make_member(), make_operator("finance")
    checkers = [make_operator("finance") for _ in range(6)]
    request = _ask(member, maker, 5000)
    answers = together([partial(_apply, request, checker) for checker in checkers])
    refused = [a for a in answers if isinstance(a, adjustments.AdjustmentDecided)]
    assert len(refused) == 5
    assert get_balance(member).available == 5000
    assert len(list_entries(member)) == 1
    assert broken() == []


def test_asking_and_approving_in_the_console(client, alice):
    maker, checker = make_operator("finance"), make_operator("finance")
    sign_in_operator(client, maker)
    form = {"member": alice.public_id, "amount": 1500, "reason": "goodwill", "note": "Ticket 9"}
    assert client.post(reverse("admin:credits_adjustrequest_add"), form).status_code == 302
    request = AdjustRequest.objects.get()
    address = reverse("admin:credits_adjustrequest_changelist")
    press = {"action": "apply", "_selected_action": [request.pk]}
    told = client.post(address, press, follow=True).content.decode()
    assert "another person has to approve it" in told
    assert get_balance(alice).available == 0
    client.cookies.clear()
    sign_in_operator(client, checker)
    assert "Done: 1." in client.post(address, press, follow=True).content.decode()
    assert get_balance(alice).available == 1500
