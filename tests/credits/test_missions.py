"""Missions count what members do, roll back when they say so, and pay once."""

from datetime import UTC, datetime, timedelta

import pytest

from credits import errors, ledger
from credits.kinds import Counter
from credits.models import Mission, MissionProgress
from credits.queries import get_balance, list_entries
from credits.queries.missions import list_missions
from credits.services.check_ins import check_in
from credits.services.earning import drain_earning
from credits.services.missions import claim_mission
from tests.credits.conftest import standing
from tests.credits.test_earning import PAID_AT, USER_ID, give_back, pay
from tests.factories import bind, make_member, sign_in

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def payer(db):
    Mission.objects.all().delete()
    member = make_member(user_id=USER_ID)
    bind(member)
    return member


def make_mission(**facts):
    return Mission.objects.create(
        **{
            "slug": "m", "names": {"en": "Pay twice"}, "metric": "purchases", "target": 2,
            "period": "month", "reward": 200, "starts_at": LONG_AGO, **facts,
        }
    )  # fmt: skip


def card(member, at=PAID_AT):
    [only] = list_missions(member, now=at)
    return only


def test_purchases_move_a_mission_once_and_its_reward_is_given_once(payer):
    make_mission()
    pay(100, bill_no="M1")
    drain_earning()
    drain_earning()
    assert (card(payer).progress, card(payer).percent, card(payer).is_done) == (1, 50, False)
    before = standing(payer.pk)
    with pytest.raises(errors.MissionNotDone):
        claim_mission(member=payer, slug="m")
    assert standing(payer.pk) == before
    pay(100, bill_no="M2")
    drain_earning()

    assert claim_mission(member=payer, slug="m") == 200

    with pytest.raises(errors.MissionNotDone):
        claim_mission(member=payer, slug="m")
    line = list_entries(payer)[0]
    assert (line.amount, line.counter, line.related) == (200, Counter.MISSIONS, "mission:m")
    assert (card(payer).is_claimed, get_balance(payer).available) == (True, 202)


@pytest.mark.parametrize(("rolls_back", "left"), [(True, 1), (False, 2)])
def test_a_refund_rolls_back_only_when_the_mission_says_so(payer, rolls_back, left):
    make_mission(rolls_back=rolls_back, target=5)
    pay(1000, bill_no="M3")
    pay(1000, bill_no="M4")
    drain_earning()
    give_back(400, bill_no="M3", refund_no="MR1")
    drain_earning()
    assert card(payer).progress == 2
    give_back(600, bill_no="M3", refund_no="MR2")
    drain_earning()
    assert card(payer).progress == left


def test_two_refunds_in_one_batch_undo_one_purchase(payer):
    make_mission(target=5)
    pay(1000, bill_no="M3")
    pay(1000, bill_no="M4")
    drain_earning()
    give_back(400, bill_no="M3", refund_no="MR1")
    give_back(600, bill_no="M3", refund_no="MR2")
    drain_earning()
    assert card(payer).progress == 1


def test_money_counts_in_its_currency_and_comes_off_again(payer):
    make_mission(metric="amount", currency="CNY", target=5000)
    pay(3000, bill_no="M5")
    drain_earning()
    give_back(1200, bill_no="M5", refund_no="MR3")
    drain_earning()
    assert card(payer).progress == 1800


def test_what_was_claimed_stays_claimed(payer):
    make_mission(target=1)
    pay(1000, bill_no="M6")
    drain_earning()
    claim_mission(member=payer, slug="m")
    give_back(1000, bill_no="M6", refund_no="MR4")
    drain_earning()
    assert card(payer).is_claimed
    assert MissionProgress.objects.get().progress == 1


def test_a_month_begins_anew_and_a_finished_one_can_still_be_claimed(payer):
    make_mission(target=1)
    pay(1000, bill_no="M7")
    drain_earning()
    next_month = PAID_AT + timedelta(days=31)
    assert (card(payer, next_month).progress, card(payer).progress) == (0, 1)
    assert claim_mission(member=payer, slug="m") == 200


def test_before_its_start_nothing_counts(payer):
    make_mission(starts_at=PAID_AT + timedelta(days=1))
    pay(1000, bill_no="M8")
    drain_earning()
    assert MissionProgress.objects.count() == 0


def test_check_ins_count_and_the_page_gives_the_reward(client, payer):
    make_mission(slug="days", metric="check_ins", target=1, names={"en": "Check in once"})
    sign_in(client, payer)
    check_in(member=payer)
    check_in(member=payer)
    page = client.get("/credits").content.decode()
    assert "Check in once" in page
    assert "Get 200" in page

    panel = client.post("/credits/missions/days/claim", headers={"HX-Request": "true"})

    text = panel.content.decode()
    assert "<html" not in text
    assert "Well done, +200 credits." in text
    assert 'id="balance" hx-swap-oob="true">210<' in text
    assert client.post("/credits/missions/days/claim").status_code == 302
    assert client.post("/credits/missions/nothing/claim").status_code == 404
    assert get_balance(payer).available == 210


@pytest.mark.parametrize(
    ("label", "refusal"), [("frozen", errors.MemberFrozen), ("unbound", errors.BindingNeeded)]
)
def test_a_refusal_leaves_the_reward_waiting(payer, label, refusal):
    make_mission(target=1)
    pay(1000, bill_no="M9")
    drain_earning()
    if label == "frozen":
        ledger.freeze(member_id=payer.pk, reason="check", actor="operator:test")
    else:
        payer.bindings.update(status="unbound")
    before = standing(payer.pk)
    with pytest.raises(refusal):
        claim_mission(member=payer, slug="m")
    assert standing(payer.pk) == before
    assert MissionProgress.objects.get().claimed_at is None
