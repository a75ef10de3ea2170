"""Claimed today, usable so many days later: one instant, the same at every door."""

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from benefits import errors
from benefits.admin.benefit_form import BenefitForm
from benefits.models import Benefit, Claim
from benefits.services import grants
from benefits.services.endings import reissue_claim
from benefits.services.redemptions import redeem_claim
from tests.benefits.books import travel
from tests.benefits.factories import claim, load_codes, make_benefit, make_provider, make_release
from tests.factories import sign_in
from tests.pages.test_claim_page import HTMX, claim_address, form_of
from zone.core.clock import database_now

WHO = {"actor": "partner:test"}
PERK = {"kind": "partner_perk", "detail": {"partner_name": "Bakery"}}


@pytest.fixture
def late(db, alice):
    """Ten minutes before the member's midnight; the day it is there."""
    zone = ZoneInfo(alice.time_zone)
    day = database_now().astimezone(zone).date() + timedelta(days=1)
    at = datetime.combine(day, time(23, 50), tzinfo=zone)
    travel(seconds=(at - database_now()).total_seconds())
    return day


def midnight(day: date, member) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(member.time_zone))


def test_usable_from_the_first_hour_of_the_second_day_and_not_before(client, alice, late):
    sign_in(client, alice)
    benefit = make_benefit(usable_after_days=2, valid_days=5, **PERK)
    release = make_release(benefit, codes=1)
    asked = client.get(f"/benefits/{benefit.slug}").content.decode()
    assert "5 days after claiming; usable 2 days later" in asked
    panel = client.post(claim_address(release), form_of(release), headers=HTMX)
    made = Claim.objects.get(member=alice)
    starts = midnight(late + timedelta(days=2), alice)
    assert made.valid_from == starts
    assert made.valid_until == midnight(late + timedelta(days=6), alice) - timedelta(milliseconds=1)
    when = rf"Good from [^<]*{starts:%b} {starts.day}, [^<]*12:00"
    assert re.search(when, panel.content.decode())
    for instant, may in ((starts - timedelta(seconds=1), False), (starts, True)):
        if may:
            redeem_claim(claim=made, now=instant, **WHO)
        else:
            with pytest.raises(errors.ClaimNotUsable):
                redeem_claim(claim=made, now=instant, **WHO)
    made.refresh_from_db()
    assert made.state == "redeemed"


def test_what_a_provider_grants_begins_at_the_same_instant(alice, late, issuer):
    benefit = make_benefit(
        kind="apple_music_trial",
        detail={"service": "apple_music", "trial_period": "P3M"},
        usable_after_days=1,
        valid_days=5,
    )
    provider = make_provider(kind="sandbox", timeout_ms=4000)
    made = claim(alice, make_release(benefit, stock=1, provider=provider))
    assert made.valid_from is None
    assert grants.drain_grants() == 1
    made.refresh_from_db()
    assert made.valid_from == midnight(late + timedelta(days=1), alice)


@pytest.mark.parametrize("elapsed", [0, 4])
def test_a_replacement_waits_no_longer_than_the_first_one(alice, elapsed):
    release = make_release(make_benefit(usable_after_days=3, **PERK), codes=2)
    first = claim(alice, release)
    travel(days=elapsed)
    new = reissue_claim(claim=first, actor="operator:x", now=database_now())
    assert new.valid_from == max(first.valid_from, new.created_at)
    assert (new.valid_from > database_now()) is (elapsed == 0)


@pytest.mark.parametrize("wait", [None, 4])
def test_a_code_is_sold_no_longer_than_its_promised_life_lasts_once_it_is_usable(db, wait):
    benefit = make_benefit(usable_after_days=wait, wallets=["ALIPAY_CN"], **PERK)
    release = make_release(benefit, codes=1)
    ends_on = database_now().date() + timedelta(days=60)
    load_codes(release, 1, expires_on=ends_on.isoformat())
    counters = release.counters.exclude(sells_until=None)
    [sells_until] = counters.values_list("sells_until", flat=True).distinct()
    last = datetime.combine(ends_on, time(), tzinfo=ZoneInfo("Asia/Shanghai"))
    assert sells_until == last - timedelta(days=7 - 1 + (wait or 0))


FAULTS = {
    "ends before it begins": ({"valid_days": 2}, "usable_after_days"),
    "claimed without an end": ({"usable_until": 30}, "claimable_until"),
    "claimed too late": ({"usable_until": 30, "claimable_until": 28}, "claimable_until"),
    "claimed in time": ({"usable_until": 30, "claimable_until": 26}, ""),
    "no end": ({}, ""),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_form_refuses_what_somebody_could_never_use(db, fault):
    given, place = FAULTS[fault]
    now = database_now()
    values = {
        name: value if name == "valid_days" else now + timedelta(days=value)
        for name, value in given.items()
    }
    benefit = make_benefit(valid_days=None)
    form = BenefitForm(instance=benefit)
    form.cleaned_data = {"usable_after_days": 3, **values}
    form._errors = {}
    form.clean()
    assert list(form._errors) == ([place] if place else [])


def test_the_database_refuses_it_too(db):
    benefit = make_benefit(valid_days=5, usable_after_days=5)
    with pytest.raises(IntegrityError), transaction.atomic():
        Benefit.objects.filter(pk=benefit.pk).update(usable_after_days=6)
