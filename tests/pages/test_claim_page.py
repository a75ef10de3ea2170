"""The pages around a claim: what they offer, what a form does, what a refusal leaves behind."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from benefits.models import Claim
from benefits.queries import find_code
from benefits.services.pools import open_code
from credits.queries import get_balance
from tests.benefits.books import travel
from tests.benefits.factories import claim, give_credits, make_benefit, make_release, soon
from tests.factories import sign_in
from zone.core import clock
from zone.core.clock import database_now
from zone.core.ids import uuid7

HTMX = {"HX-Request": "true"}


def form_of(release, *, op_id=None, price=None):
    return {
        "op_id": str(op_id or uuid7()),
        "release": release.public_id,
        "price": release.price_credits if price is None else price,
    }


def claim_address(release):
    return f"/benefits/{release.benefit.slug}/claim"


def test_a_plain_form_claims_and_leads_to_the_voucher(alices_phone, alice):
    release = make_release(make_benefit(), codes=2)
    answer = alices_phone.post(claim_address(release), form_of(release))

    made = Claim.objects.get(member=alice)
    assert (answer.status_code, answer["Location"]) == (302, f"/me/benefits/{made.public_id}")
    assert made.state == Claim.State.GRANTED
    page = alices_phone.get(answer["Location"])
    assert page.status_code == 200
    assert b"Show the code" in page.content
    assert made.revealed_at is None


def test_htmx_gets_the_code_in_the_sheet_at_once(alices_phone, alice):
    release = make_release(make_benefit(), codes=1)
    answer = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)

    made = Claim.objects.get(member=alice)
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    assert open_code(find_code(made)).code in answer.content.decode()
    assert made.revealed_at is not None
    assert "HX-Request" in answer["Vary"]
    assert answer["Cache-Control"] == "no-store, private"


def test_the_same_form_sent_twice_claims_once(alices_phone, alice):
    release = make_release(make_benefit(per_member=5), codes=3)
    form = form_of(release)
    answers = [alices_phone.post(claim_address(release), form) for _ in range(2)]

    assert Claim.objects.filter(member=alice).count() == 1
    assert answers[0]["Location"] == answers[1]["Location"]


def test_a_provider_claim_shows_that_it_is_being_prepared(alices_phone, alice):
    release = make_release(make_benefit(), stock=3)
    answer = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)

    made = Claim.objects.get(member=alice)
    assert made.state == Claim.State.RESERVED
    panel = answer.content.decode()
    assert f'hx-get="/me/benefits/{made.public_id}/status"' in panel
    # Without htmx the same address leads to the page, which says it again.
    plain = alices_phone.get(f"/me/benefits/{made.public_id}/status")
    assert plain["Location"] == f"/me/benefits/{made.public_id}"
    assert b"We are preparing it" in alices_phone.get(plain["Location"]).content


@pytest.mark.parametrize(
    ("label", "op_id", "sentence"),
    [
        (
            "a day old",
            lambda: uuid7(clock.now() - timedelta(hours=24, minutes=1)),
            "more than a day",
        ),
        ("from the future", lambda: uuid7(clock.now() + timedelta(minutes=6)), "more than a day"),
        ("random", lambda: "7d444840-9dc0-41d1-b245-5ffdce74fad2", "was not made by us"),
        ("no id at all", lambda: "x", "Enter a valid UUID"),
    ],
)
def test_an_operation_id_that_is_not_this_pages_is_refused(
    alices_phone, alice, label, op_id, sentence
):
    release = make_release(make_benefit(), codes=1)
    answer = alices_phone.post(claim_address(release), form_of(release, op_id=op_id()))

    assert answer.status_code == 409
    assert sentence in answer.content.decode()
    assert not Claim.objects.exists()


def test_sold_out_offers_what_is_like_it_and_takes_nothing(alices_phone, alice, bob):
    release = make_release(make_benefit(price_credits=100), codes=1)
    other = make_release(make_benefit(), codes=1)
    for member in (alice, bob):
        give_credits(member, 300)
    claim(bob, release)
    answer = alices_phone.post(claim_address(release), form_of(release))

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "These are all gone. No credits were taken." in page
    assert f"/benefits/{other.benefit.slug}" in page
    assert get_balance(alice).available == 300
    assert not Claim.objects.filter(member=alice).exists()


def test_too_few_credits_names_the_gap_and_where_to_earn(alices_phone, alice):
    release = make_release(make_benefit(price_credits=500), codes=1)
    give_credits(alice, 120)
    answer = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)

    assert answer.status_code == 200
    assert "You need 380 more credits." in answer.content.decode()
    assert 'href="/credits"' in answer.content.decode()
    assert get_balance(alice).available == 120
    assert not Claim.objects.exists()


def test_a_price_other_than_the_one_shown_is_not_taken(alices_phone, alice):
    release = make_release(make_benefit(price_credits=300), codes=1)
    give_credits(alice, 500)
    answer = alices_phone.post(claim_address(release), form_of(release, price=100))

    assert answer.status_code == 409
    assert "The price has changed" in answer.content.decode()
    assert get_balance(alice).available == 500
    assert not Claim.objects.exists()


def test_carol_is_shown_the_way_to_link_her_account(client, carol):
    sign_in(client, carol)
    release = make_release(make_benefit(), codes=1)
    page = client.get(f"/benefits/{release.benefit.slug}").content.decode()
    assert f'href="/bind?next=/benefits/{release.benefit.slug}"' in page

    answer = client.post(claim_address(release), form_of(release))
    assert answer.status_code == 409
    assert "Link your wallet to your Apple account first" in answer.content.decode()
    assert not Claim.objects.exists()


def test_looking_around_needs_no_sign_in_but_claiming_does(client, db):
    release = make_release(make_benefit(), codes=1)
    assert client.get("/benefits").status_code == 200
    page = client.get(f"/benefits/{release.benefit.slug}")
    assert page.status_code == 200
    assert b"op_id" not in page.content

    answer = client.post(claim_address(release), form_of(release))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/welcome")
    assert not Claim.objects.exists()


def test_nobody_elses_claim_can_be_seen_or_shown(alices_phone, bob):
    theirs = claim(bob, make_release(make_benefit(), codes=1))

    for method, path in [("get", ""), ("get", "/status"), ("post", "/reveal")]:
        answer = getattr(alices_phone, method)(f"/me/benefits/{theirs.public_id}{path}")
        assert answer.status_code == 404
    theirs.refresh_from_db()
    assert theirs.revealed_at is None


def test_reveal_shows_the_code_in_groups_of_four_and_records_the_first_time(alices_phone, alice):
    mine = claim(alice, make_release(make_benefit(), codes=1))
    pages = [alices_phone.post(f"/me/benefits/{mine.public_id}/reveal") for _ in range(2)]

    code = pages[0].context["revealed"].code
    in_groups = " ".join(code[start : start + 4] for start in range(0, len(code), 4))
    assert in_groups in pages[0].content.decode()
    assert '<path stroke="#111"' in pages[0].content.decode()  # The QR is dark in every theme.
    mine.refresh_from_db()
    assert mine.revealed_at == pages[0].context["revealed"].revealed_at
    assert pages[1].context["revealed"] == pages[0].context["revealed"]


def test_an_expired_claim_keeps_its_code_covered(alices_phone, alice):
    mine = claim(alice, make_release(make_benefit(), codes=1))
    Claim.objects.filter(pk=mine.pk).update(valid_until=soon(seconds=-1))
    page = alices_phone.get(f"/me/benefits/{mine.public_id}").content.decode()

    assert "Expired" in page
    assert "Show the code" not in page
    answer = alices_phone.post(f"/me/benefits/{mine.public_id}/reveal")
    assert "revealed" not in answer.context
    assert (
        "can no longer be used" in answer.content.decode() or "Expired" in answer.content.decode()
    )


def test_my_benefits_counts_each_segment(alices_phone, alice):
    benefit = make_benefit(per_member=9)
    release = make_release(benefit, codes=4)
    claims = [claim(alice, release) for _ in range(4)]
    Claim.objects.filter(pk=claims[0].pk).update(valid_until=soon(seconds=-1))
    Claim.objects.filter(pk=claims[1].pk).update(state="redeemed", redeemed_at=soon())

    for segment, number in [("available", 2), ("used", 1), ("expired", 1)]:
        answer = alices_phone.get(f"/me/benefits?show={segment}")
        assert len(answer.context["claims"]) == number
        counts = answer.context["counts"]
        assert (counts.available, counts.used, counts.expired) == (2, 1, 1)


def test_claimed_ten_minutes_before_midnight_it_shows_the_end_that_is_kept(alices_phone, alice):
    zone = ZoneInfo(alice.time_zone)
    day = database_now().astimezone(zone).date() + timedelta(days=1)
    late = datetime.combine(day, time(23, 50), tzinfo=zone)
    travel(seconds=(late - database_now()).total_seconds())
    made = claim(alice, make_release(make_benefit(valid_days=1), codes=1))
    end = made.valid_until.astimezone(zone)
    assert (end.date(), end.hour, end.minute) == (day + timedelta(days=1), 23, 59)
    page = alices_phone.get(f"/me/benefits/{made.public_id}").content.decode()
    facts = page[page.index('id="h-facts"') :]
    assert re.search(rf"Good until</dt><dd>[^<]*{end:%b} {end.day}, [^<]*11:59", facts)


def test_what_cannot_be_used_yet_says_from_when(alices_phone, alice):
    made = claim(alice, make_release(make_benefit(usable_from=soon(days=3)), codes=1))
    address = f"/me/benefits/{made.public_id}"
    zone = ZoneInfo(alice.time_zone)
    starts = made.valid_from.astimezone(zone)
    page = alices_phone.get(address).content.decode()
    assert re.search(rf"Good from</dt><dd>[^<]*{starts:%b} {starts.day}, ", page)
    travel(days=4)
    assert "Good from" not in alices_phone.get(address).content.decode()
