"""Several who press at once get what each would get alone, or are told to ask alone."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from django.db import Error, connection, transaction
from django.db.models import F

from benefits import rush_sql
from benefits.models import (
    Benefit,
    Budget,
    Bundle,
    BundleItem,
    Claim,
    Code,
    OpeningHours,
    PriceRow,
    Quota,
    Release,
    SlotCounter,
)
from benefits.rush.asked import Answer
from benefits.rush.winners import Offer, Won
from benefits.rush_sql import Press, Seen
from benefits.sealed import SealedCode
from benefits.services import draws
from tests.benefits.books import assert_books_hold
from tests.benefits.factories import make_benefit, make_release
from tests.pages.test_rush_door import reader
from zone.core import clock
from zone.core.clock import database_now
from zone.core.ids import new_public_id, uuid7
from zone.members.models import MemberSession
from zone.members.services import sessions

pytestmark = pytest.mark.django_db


def press(member, **fields):
    token_hash = sessions.open_session(member=member, now=clock.now()).session.token_hash
    press = {
        "session_hash": bytes(token_hash),
        "op_id": uuid7(),
        "public_id": new_public_id("clm"),
        "price": 0,
    }
    return Press(**{**press, **fields})


def see(release, *positions):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version, rule_id FROM benefits_offered WHERE release_id = %s", [release.pk]
        )
        return Seen(release.pk, *cursor.fetchone(), positions)


def judged(release):
    """The release as it is seen, with everybody's position let in."""
    told = rush_sql.rush_together(see(release), [press(reader())])
    return see(release, *(one.position for one in told if one))


@pytest.fixture
def release():
    return make_release(make_benefit(), codes=320)  # sixteen ranges of twenty


def ask_alone(seen, one):
    """What the same press is told alone; nothing of it stays."""
    with transaction.atomic():
        told = rush_sql.rush(seen, one)
        transaction.set_rollback(True)
    return told


def test_each_of_several_gets_what_each_would_get_alone(release):
    Benefit.objects.filter(pk=release.benefit_id).update(usable_after_days=2, valid_days=9)
    seen = judged(release)
    people = [reader(language=language) for language in ("en", "zh-hans", "zh-hant")]
    presses = [press(member) for member in people]
    alone = [ask_alone(seen, one) for one in presses]
    told = rush_sql.rush_together(seen, presses)
    assert [one.code for one in told] == ["ok"] * 3
    assert len({one.sealed.slot for one in told}) == 3
    for one, expected, member, made_by in zip(told, alone, people, presses, strict=True):
        for name in ("public_id", "position", "language", "country", "time_zone", "held_id",
                     "price_credits", "valid_until", "valid_from"):  # fmt: skip
            assert getattr(one, name) == getattr(expected, name), name
        code = Code.objects.select_related("batch").get(release=release, slot=one.sealed.slot)
        assert one.sealed == SealedCode(
            release.pk, code.slot, bytes(code.sealed), bytes(code.redeem_url_sealed),
            code.batch.key_number, one.sealed.key_sealed, one.sealed.old_key_sealed,
        )  # fmt: skip
        assert bytes(one.sealed.key_sealed) == bytes(code.batch.key_sealed)
        made = Claim.objects.get(member=member)
        assert (made.public_id, made.op_id) == (made_by.public_id, made_by.op_id)
    assert_books_hold()


def test_the_rows_are_those_of_a_claim_made_alone(release):
    seen = judged(release)
    rush_sql.rush(seen, press(reader()))
    rush_sql.rush_together(seen, [press(reader()), press(reader())])
    own = {"id", "public_id", "member_id", "slot", "op_id", "_state"}
    instants = {
        "created_at",
        "granted_at",
        "valid_from",
        "valid_until",
        "updated_at",
        "revealed_at",
    }
    made = list(Claim.objects.order_by("id"))
    alone, *others = ({**vars(one), "story": list(
        one.events.order_by("id").values_list("cause", "from_state", "to_state"))} for one in made)  # fmt: skip
    for other in others:
        for name in alone.keys() - own - instants:
            assert other[name] == alone[name], name
        for name in instants:
            assert (other[name] is None) == (alone[name] is None), name
    for one in made:
        actor = f"member:{one.member.public_id}"
        assert set(one.events.values_list("actor", "at")) == {(actor, one.created_at)}
        assert one.revealed_at == one.granted_at == one.valid_from == one.created_at


def close_session(one, member):
    MemberSession.objects.filter(token_hash=one.session_hash).update(revoked_at=clock.now())
    return one


def rest_session(one, member):
    before = clock.now() - timedelta(hours=2)
    MemberSession.objects.filter(token_hash=one.session_hash).update(seen_at=before)
    return one


def freeze(one, member):
    type(member).objects.filter(pk=member.pk).update(frozen_at=database_now())
    return one


def price(one, member):
    return Press(one.session_hash, one.op_id, one.public_id, 5)


@pytest.mark.parametrize("change", [close_session, rest_session, freeze, price])
def test_whose_press_is_not_plain_asks_alone_and_keeps_nobody_else(release, change):
    seen = judged(release)
    odd, other = reader(), reader()
    presses = [change(press(odd), odd), press(other)]
    told = rush_sql.rush_together(seen, presses)
    assert told[0] is None
    assert told[1].code == "ok"
    assert Claim.objects.filter(member=odd).count() == 0
    assert_books_hold()


def test_who_has_one_hears_which_and_a_retry_asks_alone(release):
    seen = judged(release)
    member = reader()
    first = press(member)
    rush_sql.rush_together(seen, [first])
    again = press(member)
    told = rush_sql.rush_together(seen, [first, again, press(reader())])
    assert told[0] is None
    assert (told[1].code, told[1].held_id) == ("limit_reached", first.public_id)
    assert ask_alone(seen, again).held_id == first.public_id
    assert told[2].code == "ok"


def test_where_nobody_was_judged_says_so(release):
    seen = judged(release)
    told = rush_sql.rush_together(seen, [press(reader(is_adult=False)), press(reader())])
    assert [one.code for one in told] == ["judge", "ok"]
    assert told[0].position != told[1].position


def test_a_slot_kept_for_one_of_them_is_taken_alone(release):
    seen = judged(release)
    member = reader()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO benefits_returnedslot"
            " (release_id, slot, offered_to_id, offered_until, returned_at)"
            " VALUES (%s, 999, %s, %s, %s)",
            [release.pk, member.pk, database_now() + timedelta(hours=1), database_now()],
        )
    told = rush_sql.rush_together(seen, [press(member), press(reader())])
    assert told[0] is None
    assert told[1].code == "ok"


def test_a_range_with_too_few_left_gives_to_those_who_ask_alone():
    release = make_release(make_benefit(), codes=3)
    seen = judged(release)
    presses = [press(reader()) for _ in range(4)]
    assert rush_sql.rush_together(seen, presses) == [None] * 4
    assert [rush_sql.rush(seen, one).code for one in presses] == ["ok"] * 3 + ["sold_out"]
    assert_books_hold()


def test_two_presses_of_one_member_undo_each_other_and_leave_nothing(release):
    seen = judged(release)
    member = reader()
    presses = [press(member), press(member), press(reader())]
    with pytest.raises(Error), transaction.atomic():
        rush_sql.rush_together(seen, presses)
    assert not Claim.objects.exists()
    assert [rush_sql.rush(seen, one).code for one in presses] == ["ok", "limit_reached", "ok"]
    assert_books_hold()


@pytest.mark.parametrize("is_same_press", [True, False])
def test_who_presses_twice_keeps_nobody_else_from_theirs(release, is_same_press):
    seen = judged(release)
    twice, other = press(reader()), press(reader())
    again = twice if is_same_press else replace(twice, op_id=uuid7())
    won = Won(release, seen.version, seen.rule_id)
    offer = Offer(won, Answer("200 OK", [], b""), 0.0, positions=list(seen.positions))
    told = offer.claim_all([twice, again, other])
    assert [one and one.code for one in told] == ["ok", None, "ok"]
    assert ask_alone(seen, again).code in ("limit_reached", "page")
    assert Claim.objects.count() == 2
    assert_books_hold()


def test_a_slot_without_its_code_is_nobodys_claim(release):
    seen = judged(release)
    beyond = {"next_slot": F("next_slot") + 1000, "end_slot": F("end_slot") + 1000}
    SlotCounter.objects.filter(release=release).update(**beyond)
    with pytest.raises(Error), transaction.atomic():
        rush_sql.rush_together(seen, [press(reader())])
    assert not Claim.objects.exists()


def quota(release):
    Quota.objects.create(benefit=release.benefit, holder="member", period="day", allowed=2)


def bundle(release):
    made = Bundle.objects.create(slug="one-of-two", kind=Bundle.Kind.PICK, picks=1)
    BundleItem.objects.create(bundle=made, benefit=release.benefit)


def budget(release):
    made = Budget.objects.create(code="b", name="B", currency="CNY", amount=700)
    Benefit.objects.filter(pk=release.benefit_id).update(
        budget=made, unit_cost=300, unit_cost_currency="CNY"
    )


def prices(release):
    PriceRow.objects.create(benefit=release.benefit, position=1, price_credits=0)


def hours(release):
    OpeningHours.objects.create(
        benefit=release.benefit, weekdays=[2], starts_on=date(2026, 1, 1),
        opens_at_local=time(10), closes_at_local=time(12),
    )  # fmt: skip


def draw(release):
    now = database_now()
    Release.objects.filter(pk=release.pk).update(opens_at=now + timedelta(hours=1))
    release.refresh_from_db()
    draws.announce_draw(
        release=release, entries_open_at=now, entries_close_at=now + timedelta(minutes=9),
        beacon_name="", actor="operator:test", now=now,
    )  # fmt: skip
    Release.objects.filter(pk=release.pk).update(opens_at=now - timedelta(hours=1))


def change_release(**fields):
    return lambda release: Release.objects.filter(pk=release.pk).update(**fields)


def change_benefit(**fields):
    return lambda release: Benefit.objects.filter(pk=release.benefit_id).update(
        **{name: value() if callable(value) else value for name, value in fields.items()}
    )


def an_hour(sign):
    return lambda: database_now() + sign * timedelta(hours=1)


NOT_PLAIN = {
    "paused": change_benefit(status="paused"),
    "ended": change_benefit(status="ended"),
    "in review": change_benefit(status="in_review"),
    "not claimable yet": change_benefit(claimable_from=an_hour(1)),
    "not claimable any more": change_benefit(claimable_until=an_hour(-1)),
    "not visible yet": change_benefit(visible_from=an_hour(1)),
    "several a member": change_release(per_member=2),
    "at a price": change_release(price_credits=5),
    "limited": quota,
    "one of a bundle": bundle,
    "paid from a budget": budget,
    "priced by row": prices,
    "open at times": hours,
    "given out by lot": draw,
}


@pytest.mark.parametrize("how", NOT_PLAIN)
def test_all_ask_alone_for_a_release_that_is_not_plain(release, how):
    assert judged(release).positions, "it was plain"
    NOT_PLAIN[how](release)
    seen = see(release, "anywhere")
    assert rush_sql.rush_together(seen, [press(reader()), press(reader())]) is None
    assert not Claim.objects.exists()
