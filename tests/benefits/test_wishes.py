"""Asking to be told: offered where something can change, told once, and by whatever road it came."""

from datetime import timedelta

import pytest

from benefits import errors
from benefits.models import Benefit, PriceRow, Quota, Wish, WishTouch
from benefits.services import wishes
from benefits.services.forgetting import _forget
from benefits.services.rules import set_rule
from benefits.services.wishes import drain_wishes, drop_wish, make_wish
from credits import ledger
from credits.services.tiers import refresh_tiers
from tests.benefits.books import travel
from tests.benefits.factories import claim, give_credits, make_benefit, make_release, soon
from tests.benefits.test_rules import buy, subscribe
from tests.factories import bind, make_member, sign_in
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Binding, Erasure
from zone.notices.models import Notice

pytestmark = pytest.mark.usefixtures("sound_books")


def wish(member, benefit):
    make_wish(member=member, benefit=benefit, now=database_now())
    return Wish.objects.get(member=member, benefit=benefit, state="open")


def told(member):
    rows = Notice.objects.filter(member=member, kind__startswith="benefit_").order_by("id")
    return list(rows.values_list("kind", "link"))


def ruled(tree, **fields):
    benefit = make_benefit(**fields)
    make_release(benefit, codes=3)
    set_rule(benefit=benefit, tree=tree, actor="operator:x", now=database_now())
    return benefit


def test_ten_minutes_before_it_opens_and_once(client, alice):
    benefit = make_benefit()
    release = make_release(benefit, codes=1, opens_at=soon(hours=3))
    sign_in(client, alice)
    page = f"/benefits/{benefit.slug}"
    assert "Remind me" in client.get(page).content.decode()
    for _ in range(2):
        assert client.post(f"{page}/wish").status_code == 302
    assert "We write to your inbox shortly before it opens." in client.get(page).content.decode()
    made = Wish.objects.get()
    assert made.state == "open"
    for minutes, kinds in ((2, 0), (169, 0), (170.5, 1), (171, 1), (181, 1)):
        travel(minutes=minutes)
        drain_wishes()
        assert len(told(alice)) == kinds, minutes
    notice = Notice.objects.get()
    assert (notice.kind, notice.link) == ("benefit_opening", page)
    assert notice.facts["opens_at"] == release.opens_at.isoformat()
    made.refresh_from_db()
    assert (made.state, made.looks_at) == ("told", None)
    assert "It opens soon" in client.get("/inbox").content.decode()


def test_an_opening_that_is_put_off_is_told_for_its_new_hour(alice):
    release = make_release(make_benefit(), codes=1, opens_at=soon(hours=3))
    wish(alice, release.benefit)
    drain_wishes()
    release.opens_at = soon(hours=9)
    release.save(update_fields=["opens_at"])
    travel(minutes=171)
    assert (drain_wishes(), told(alice)) == (0, [])
    travel(minutes=531)
    assert drain_wishes() == 1


def test_as_soon_as_the_credits_are_there(alice):
    benefit = make_benefit(price_credits=50)
    make_release(benefit, codes=1)
    give_credits(alice, 49)
    wish(alice, benefit)
    travel(minutes=2)
    assert drain_wishes() == 0
    assert Wish.objects.get().needs_credits == 50
    give_credits(alice, 1)
    assert (drain_wishes(), drain_wishes()) == (1, 0)
    assert told(alice) == [("benefit_ready", f"/benefits/{benefit.slug}")]


def step(kind, member):
    """A rule, and the step that it names to this member, done."""
    now = database_now()
    match kind:
        case "purchase":
            return {"is": "purchases", "count": 1, "days": 30}, lambda: buy(member, at=now)
        case "subscription":
            tree = {"is": "subscription", "service": "apple_music", "state": "open"}
            return tree, lambda: subscribe(member, "apple_music", now=now)
        case "claim":
            other = make_release(make_benefit(slug="first"), codes=1)
            tree = {"is": "claimed", "benefit": "first", "least": 1}
            return tree, lambda: claim(member, other)
        case "tier":

            def rise():
                ledger.earn(member_id=member.pk, op_id=uuid7(), amount=2000)
                refresh_tiers([member.pk])

            return {"is": "tier", "least": "gold"}, rise
        case "wait":
            Binding.objects.filter(member=member).update(bound_at=now - timedelta(days=2))
            return {"is": "bound", "days": 5}, lambda: travel(days=3, seconds=5)
    raise AssertionError(kind)


@pytest.mark.parametrize("kind", ["purchase", "subscription", "claim", "tier", "wait"])
def test_the_step_it_names_is_done_and_the_member_hears(alice, kind):
    tree, do = step(kind, alice)
    benefit = ruled(tree)
    made = wish(alice, benefit)
    # What it needs is noted and was looked at once more; what comes now has to wake it by itself.
    for _ in range(2):
        Wish.objects.update(looks_at=database_now())
        assert drain_wishes() == 0
    made.refresh_from_db()
    assert made.looks_at > database_now() + timedelta(hours=5)
    do()
    assert (drain_wishes(), drain_wishes()) == (1, 0)
    assert told(alice) == [("benefit_ready", f"/benefits/{benefit.slug}")]
    assert not WishTouch.objects.exists()


def test_the_next_window_of_a_limit(alice):
    benefit = make_benefit(per_member=9)
    release = make_release(benefit, codes=3)
    Quota.objects.create(benefit=benefit, holder="member", period="day", allowed=1)
    claim(alice, release)
    wish(alice, benefit)
    travel(minutes=2)
    drain_wishes()
    assert Wish.objects.get().looks_at <= database_now() + timedelta(hours=24)
    assert told(alice) == []
    travel(hours=25)
    assert drain_wishes() == 1


@pytest.mark.parametrize(
    "case", ["claimable", "owned", "sold out", "other wallet", "no way", "bind"]
)
def test_where_there_is_nothing_to_wait_for_nothing_is_offered(client, alice, bob, carol, case):
    fields = {"wallets": ["GCASH"]} if case == "other wallet" else {}
    tree = {"is": "adult"} if case == "no way" else {}
    member = carol if case == "bind" else alice
    benefit = ruled(tree, **fields)
    type(alice).objects.filter(pk=alice.pk).update(is_adult=False)
    member.refresh_from_db()
    release = benefit.releases.get()
    if case == "owned":
        claim(alice, release)
    if case == "sold out":
        for _ in range(3):
            other = make_member()
            bind(other)
            claim(other, release)
    with pytest.raises(errors.WishRefused):
        make_wish(member=member, benefit=benefit, now=database_now())
    sign_in(client, member)
    page = f"/benefits/{benefit.slug}"
    assert b'id="wish"' not in client.get(page).content
    answer = client.post(f"{page}/wish", follow=True)
    assert answer.status_code == (404 if case == "other wallet" else 200)
    assert Wish.objects.count() == 0


def test_who_takes_it_back_hears_nothing(client, alice, bob):
    benefit = make_benefit(price_credits=50)
    make_release(benefit, codes=1)
    wish(alice, benefit)
    sign_in(client, alice)
    page = f"/benefits/{benefit.slug}"
    assert "Do not tell me" in client.get(page).content.decode()
    assert client.post(f"{page}/wish/drop").status_code == 302
    assert "Tell me when I can have it" in client.get(page).content.decode()
    give_credits(alice, 50)
    travel(minutes=2)
    assert (drain_wishes(), told(alice)) == (0, [])
    assert not drop_wish(member=bob, benefit=benefit, now=database_now())
    assert client.get(f"{page}/wish").status_code == 405
    assert client.post("/benefits/nothing-like-it/wish").status_code == 404


def test_what_ends_or_is_had_otherwise_ends_the_wish_in_silence(alice, bob):
    ended, had = make_benefit(price_credits=50), make_benefit(price_credits=60)
    make_release(ended, codes=1)
    release = make_release(had, codes=1)
    for benefit in (ended, had):
        wish(alice, benefit)
    Benefit.objects.filter(pk=ended.pk).update(status="ended")
    PriceRow.objects.create(benefit=had, position=1, price_credits=0)
    claim(alice, release)
    travel(minutes=2)
    assert (drain_wishes(), told(alice)) == (0, [])
    assert set(Wish.objects.values_list("state", flat=True)) == {"over"}


@pytest.mark.stuck
def test_a_wish_that_fails_keeps_no_other_waiting(alice, bob, monkeypatch):
    benefit = make_benefit(price_credits=50)
    make_release(benefit, codes=2)
    bad, good = wish(alice, benefit), wish(bob, benefit)
    for member in (alice, bob):
        give_credits(member, 50)
    Wish.objects.update(looks_at=database_now())
    tell = wishes._tell

    def failing(made, *args, **options):
        tell(made, *args, **options)
        if made.pk == bad.pk:
            raise RuntimeError("no words")

    with monkeypatch.context() as broken:
        broken.setattr(wishes, "_tell", failing)
        assert drain_wishes() == 1
    bad.refresh_from_db()
    good.refresh_from_db()
    assert (bad.state, told(alice), good.state, len(told(bob))) == ("open", [], "told", 1)


def test_a_charge_of_somebody_without_a_wish_leaves_no_trace(alice, bob):
    benefit = ruled({"is": "purchases", "count": 1, "days": 30})
    wish(alice, benefit)
    buy(bob, at=database_now())
    assert not WishTouch.objects.exists()
    buy(alice, at=database_now())
    assert WishTouch.objects.count() == 1


def test_whoever_is_forgotten_wishes_for_nothing(alice):
    benefit = make_benefit(price_credits=50)
    make_release(benefit, codes=1)
    wish(alice, benefit)
    assert _forget(Erasure(member=alice))
    assert Wish.objects.count() == 0
