"""Stamps: collected under caps that the database keeps, swapped whole, and no kind of credits."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from benefits import errors
from benefits.models import (
    Benefit,
    Claim,
    PriceRow,
    Release,
    Stamp,
    StampBoard,
    StampChoice,
    StampSwap,
)
from benefits.queries import list_cards
from benefits.queries.stamps import get_board_card
from benefits.services import stamps
from benefits.services.stamps import collect_stamps, swap_stamps
from benefits.services.stock import create_release
from benefits.verify import INVARIANTS
from credits.queries import get_balance
from credits.services.check_ins import check_in
from tests.benefits.factories import (
    claim,
    give_credits,
    load_codes,
    make_benefit,
    make_release,
    soon,
)
from tests.credits.conftest import rows, travel
from tests.credits.test_earning import USER_ID, give_back, pay
from tests.factories import bind, make_member, sign_in
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Member


def make_board(*benefits, **facts):
    board = StampBoard.objects.create(
        **{
            "slug": "six", "names": {"en": "Six purchases"}, "currency": "CNY", "needed": 3,
            "starts_at": soon(days=-90), **facts,
        }
    )  # fmt: skip
    for position, benefit in enumerate(benefits, start=1):
        StampChoice.objects.create(board=board, benefit=benefit, position=position)
    return board


def make_payer():
    member = make_member(user_id=USER_ID)
    bind(member)
    return member


@pytest.fixture
def payer(db):
    return make_payer()


@pytest.fixture
def treat(db):
    return make_release(make_benefit(only_for_stamps=True), codes=5).benefit


def buy_on(days_ago, *, number, amount=6800):
    pay(amount, bill_no=f"S{number}", at=soon(days=-days_ago))


def collect(member):
    return collect_stamps(member=member, now=database_now())


def swap(member, board, benefit, op_id=None):
    return swap_stamps(
        member=member, board=board, benefit=benefit, op_id=op_id or uuid7(), now=database_now()
    )


def hold(invariants=INVARIANTS):
    return [each.id for each in invariants if not each.is_liveness and rows(each.sql)]


def test_one_a_day_and_six_a_month_however_much_is_bought(payer, treat):
    board = make_board(treat)
    first = soon(days=-60).date().replace(day=1)
    for day in range(10):
        for number in range(2):
            at = database_now().replace(
                year=first.year, month=first.month, day=day + 1, hour=4, minute=number
            )
            pay(500, bill_no=f"CAP{day}-{number}", at=at)
    assert collect(payer) == 6
    assert collect(payer) == 0
    there = Stamp.objects.filter(board=board)
    assert sorted(there.values_list("nth_of_month", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert set(there.values_list("nth_of_day", flat=True)) == {1}


def test_the_database_refuses_a_stamp_above_its_caps(payer, treat):
    board = make_board(treat)
    buy_on(40, number=1)
    collect(payer)
    first = Stamp.objects.get()
    facts = {
        "board": board, "member": payer, "on": first.on, "month_on": first.month_on,
        "day_cap": 1, "month_cap": 6, "created_at": database_now(),
    }  # fmt: skip
    for nth_of_day, nth_of_month in ((1, 2), (2, 2), (1, 7)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Stamp.objects.create(
                **facts, source="other", nth_of_day=nth_of_day, nth_of_month=nth_of_month
            )


def test_a_full_board_becomes_a_claim_and_is_empty(payer, treat):
    board = make_board(treat)
    for number in range(4):
        buy_on(40 - number, number=number)
    op_id = uuid7()

    made = swap(payer, board, treat, op_id)

    assert (made.state, made.price_credits, made.benefit) == ("granted", 0, treat)
    assert swap(payer, board, treat, op_id) == made
    card = get_board_card(board, payer, now=database_now())
    assert (card.unspent, card.is_full, card.missing) == (1, False, 2)
    with pytest.raises(errors.NotEnoughStamps) as refusal:
        swap(payer, board, treat)
    assert refusal.value.facts == {"gap": 2}
    assert Claim.objects.count() == StampSwap.objects.count() == 1
    assert hold() == []


def test_a_refused_claim_keeps_the_stamps(payer):
    gone = make_release(make_benefit(only_for_stamps=True), codes=1).benefit
    claim_of = make_member()
    bind(claim_of)
    board = make_board(gone)
    stamps.claim_benefit(
        member=claim_of, release=gone.releases.get(), op_id=uuid7(), now=database_now(),
        is_for_stamps=True,
    )  # fmt: skip
    for number in range(3):
        buy_on(40 - number, number=number)
    with pytest.raises(errors.SoldOut):
        swap(payer, board, gone)
    assert get_board_card(board, payer, now=database_now()).unspent == 3
    assert not StampSwap.objects.exists()


def test_a_refund_takes_an_unspent_stamp_and_its_place_stays_taken(payer, treat):
    board = make_board(treat)
    # Just after midnight at home, which is the day before by the clocks of the database.
    at = soon(days=-40).replace(hour=16, minute=5)
    pay(6800, bill_no="S1", at=at)
    collect(payer)
    give_back(6800, bill_no="S1", refund_no="B1", at=at)
    pay(6800, bill_no="S2", at=at + timedelta(seconds=1))
    collect(payer)
    card = get_board_card(board, payer, now=database_now())
    assert card.unspent == 0
    assert Stamp.objects.get().voided_at is not None


def test_days_of_check_in_fill_a_board_of_their_own(payer, treat):
    board = make_board(treat, metric="check_ins", currency="", starts_at=soon(hours=-1))
    for day in range(3):
        with travel(timedelta(days=day)):
            check_in(member=payer)
    with travel(timedelta(days=2)):
        assert swap(payer, board, treat).benefit == treat


def test_a_small_purchase_or_another_currency_gives_none(payer, treat):
    make_board(treat, minimum_amount=5000)
    buy_on(40, number=1, amount=4999)
    assert collect(payer) == 0
    StampBoard.objects.update(currency="HKD")
    buy_on(39, number=2)
    assert collect(payer) == 0


def test_what_is_for_stamps_is_neither_listed_nor_claimed_without_them(payer, treat):
    make_board(treat)
    cards = list_cards(member=payer, available=0, now=database_now())
    assert treat.pk not in {card.benefit.pk for card in cards}
    with pytest.raises(errors.StampsNeeded):
        claim(payer, treat.releases.get())


def test_stamps_never_pay_a_price_in_credits(payer):
    priced = make_release(make_benefit(price_credits=100), codes=1).benefit
    board = make_board()
    with pytest.raises(ValidationError, match="price in credits"):
        StampChoice(board=board, benefit=priced).full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        StampChoice.objects.create(board=board, benefit=priced)
    free = make_release(make_benefit(), codes=2).benefit
    StampChoice.objects.create(board=board, benefit=free)
    Release.objects.filter(benefit=free).update(price_credits=50)
    give_credits(payer, 500)
    for number in range(3):
        buy_on(40 - number, number=number)
    with pytest.raises(errors.PriceChanged):
        swap(payer, board, free)
    assert get_balance(payer).available == 500
    with pytest.raises(IntegrityError), transaction.atomic():
        Benefit.objects.filter(pk=priced.pk).update(only_for_stamps=True)


@pytest.fixture
def pack(db):
    return make_benefit(kind="credit_pack", detail={"credits": 100})


def test_credits_never_buy_credits_wherever_a_price_is_written(pack):
    pack.price_credits = 90
    with pytest.raises(ValidationError, match="cannot buy credits"):
        pack.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Benefit.objects.filter(pk=pack.pk).update(price_credits=90)
    with pytest.raises(errors.ClosedLoop):
        create_release(
            benefit=pack, mode="provider", opens_at=soon(), actor="t", now=soon(), price_credits=1
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.create(
            benefit=pack, mode="codes", opens_at=soon(), price_credits=1, per_member=1
        )
    row = PriceRow(benefit=pack, position=1, price_credits=5)
    with pytest.raises(ValidationError, match="cannot buy credits"):
        row.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_a_priced_benefit_does_not_become_a_credit_pack(db):
    priced = make_release(make_benefit(), codes=1, price_credits=7).benefit
    with pytest.raises(IntegrityError), transaction.atomic():
        Benefit.objects.filter(pk=priced.pk).update(kind="credit_pack")


def test_at_run_time_a_priced_pack_is_refused_and_nothing_moves(payer, pack, monkeypatch):
    """As if the price had been written behind the database's back."""
    release = make_release(pack, stock=5, mode="credits")
    give_credits(payer, 500)
    release = Release.objects.select_related("benefit").get(pk=release.pk)
    release.price_credits = 50
    with pytest.raises(errors.ClosedLoop):
        stamps.claim_benefit(member=payer, release=release, op_id=uuid7(), now=database_now())
    assert get_balance(payer).available == 500
    assert not Claim.objects.exists()


def ready_board():
    treat = make_benefit(only_for_stamps=True, per_member=5)
    release = make_release(treat, codes=5, per_member=5)
    payer, board = make_payer(), make_board(treat)
    for number in range(3):
        buy_on(40 - number, number=number)
    collect(payer)
    return payer, board, release.benefit


def test_four_presses_at_once_swap_once(cloned_database):
    payer, board, treat = ready_board()
    answers = together([lambda: swap(payer, board, treat)] * 4)
    assert sum(isinstance(answer, Claim) for answer in answers) == 1
    assert sum(isinstance(answer, errors.NotEnoughStamps) for answer in answers) == 3
    assert Claim.objects.count() == StampSwap.objects.count() == 1
    assert hold() == []


def test_without_the_lock_the_same_stamps_are_swapped_twice(cloned_database, monkeypatch):
    """Control: the race is there, and the member's row is what decides it."""
    payer, board, treat = ready_board()
    queries = Member.objects.select_for_update
    monkeypatch.setattr(stamps, "collect_stamps", lambda **facts: 0)
    monkeypatch.setattr(
        type(Member.objects), "select_for_update", lambda self, **facts: self.all(), raising=True
    )
    answers = together([lambda: swap(payer, board, treat)] * 4)
    assert callable(queries)
    assert sum(isinstance(answer, Claim) for answer in answers) > 1


def test_the_page_shows_fields_and_caps_and_swaps_without_script(client, payer, treat):
    make_board(treat)
    for number in range(3):
        buy_on(40 - number, number=number)
    sign_in(client, payer)
    page = client.get("/stamps")
    text = page.content.decode()
    assert "3 of 3 stamps" in text
    assert "of 1, this month" in text
    answer = client.post(
        "/stamps/six/swap", {"op_id": str(page.context["op_id"]), "benefit": treat.slug}
    )
    made = Claim.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/me/benefits/{made.public_id}")
    again = client.post("/stamps/six/swap", {"op_id": str(uuid7()), "benefit": treat.slug})
    assert again["Location"] == "/stamps"
    assert "You need 3 more stamps." in client.get("/stamps").content.decode()
    assert client.post("/stamps/six/swap", {"op_id": "x", "benefit": treat.slug}).status_code == 404
    assert client.post("/stamps/no/swap", {"op_id": str(uuid7())}).status_code == 404


def test_stamps_beyond_a_full_board_are_told_as_the_next_ones(client, payer, treat):
    make_board(treat)
    for number in range(4):
        buy_on(40 - number, number=number)
    sign_in(client, payer)
    text = client.get("/stamps").content.decode()
    assert "4 of 3" not in text
    assert "3 of 3 stamps" in text
    assert "1 more stamp waits for the next board." in text


def test_codes_run_into_a_board_of_two_choices(payer):
    benefits = [make_release(make_benefit(only_for_stamps=True), codes=1).benefit for _n in "ab"]
    board = make_board(*benefits)
    for number in range(3):
        buy_on(40 - number, number=number)
    load_codes(benefits[1].releases.get(), 1)
    made = swap(payer, board, benefits[1])
    assert made.benefit == benefits[1]
