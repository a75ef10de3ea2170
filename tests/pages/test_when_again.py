"""A limit that frees again says when: on the card, in the refusal of a press, and to a partner."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from benefits.models import Quota, QuotaUse
from tests.api.caller import Caller, make_partner
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import bind, make_member
from tests.pages.test_claim_page import claim_address, form_of
from zone.core.clock import database_now
from zone.core.templatetags.zone_format import moment
from zone.members.services.partner_members import introduce_member


def limited(**fields):
    benefit = make_benefit(per_member=9)
    Quota.objects.create(benefit=benefit, **fields)
    return make_release(benefit, codes=5)


def said(instant, member, language="en"):
    """The instant as this member's pages write it."""
    with translation.override(language), timezone.override(ZoneInfo(member.time_zone)):
        return moment(instant)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_pause_says_on_the_page_when_it_is_over(alices_phone, alice, language):
    release = limited(holder="member", period="cooldown", pause_minutes=95)
    claim(alice, release)
    alice.language = language
    alice.save(update_fields=["language"])
    when = said(QuotaUse.objects.get().frees_at, alice, language)
    wanted = f"Again from {when}." if language == "en" else f"{when} 起可再领。"
    page = alices_phone.get(f"/benefits/{release.benefit.slug}").content.decode()
    assert wanted in page
    refused = alices_phone.post(claim_address(release), form_of(release))
    assert refused.status_code == 409
    assert wanted in refused.content.decode()
    assert alice.claims.count() == 1


def test_an_hours_part_says_when_the_next_one_comes(alices_phone, bob):
    release = limited(holder="all", period="hour")
    claim(bob, release)
    page = alices_phone.get(f"/benefits/{release.benefit.slug}").content.decode()
    assert "This hour&#x27;s are all gone. More come with the next hour." in page
    next_hour = database_now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    assert f"Again from {said(next_hour, bob)}." in page


def test_what_frees_never_again_promises_no_hour(alices_phone, alice):
    release = limited(holder="member", period="total")
    claim(alice, release)
    page = alices_phone.get(f"/benefits/{release.benefit.slug}").content.decode()
    assert "Again from" not in page


def test_a_person_hears_nothing_of_their_other_member(alices_phone, alice):
    release = limited(holder="person", period="day")
    other = make_member(wallet="ALIPAY_HK")
    bind(other)
    for member in (alice, other):
        member.person_token = b"t" * 32
        member.save(update_fields=["person_token"])
    claim(other, release)
    page = alices_phone.get(f"/benefits/{release.benefit.slug}").content.decode()
    assert "cannot be claimed from this account" in page
    assert "Again from" not in page


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"holder": "member", "period": "cooldown", "pause_minutes": 60}, "limit_reached"),
        ({"holder": "all", "period": "hour"}, "out_of_stock"),
    ],
)
def test_a_partner_reads_the_instant(alice, fields, code):
    partner = make_partner("acme")
    caller = Caller.of(partner)
    release = limited(**fields)
    release.benefit.partner_ids = [partner.pk]
    release.benefit.save(update_fields=["partner_ids"])
    known = introduce_member(partner=partner, member=alice, external_id="u-1").public_id
    asked = {"member": known, "benefit": release.benefit.public_id}
    assert caller.post("/claims", {**asked, "external_id": "o-1"}).status_code == 201
    refused = caller.post("/claims", {**asked, "external_id": "o-2"})
    assert (refused.status_code, refused.json()["code"]) == (409, code)
    instant = refused.json()["again_at"]
    dry = caller.post(
        f"/benefits/{release.benefit.public_id}/eligibility", {"member": known}
    ).json()
    assert (dry["code"], dry["again_at"]) == (code, instant), "the dry run foretells it"
    assert instant.endswith("Z")
    window = QuotaUse.objects.get()
    if window.frees_at:
        assert (
            instant
            == f"{window.frees_at:%Y-%m-%dT%H:%M:%S}.{window.frees_at.microsecond // 1000:03}Z"
        )
    else:
        assert instant[14:] == "00:00.000Z"
