"""Panels kept for a second: each member reads their own words and their own things in them."""

import re
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from benefits.models import BenefitText, Claim
from benefits.queries import find_code
from benefits.services.pools import open_code
from benefits.templatetags.benefit_looks import in_groups
from benefits.views import panels
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import bind, make_member, sign_in
from tests.pages.test_claim_cost import door as door
from tests.pages.test_claim_page import HTMX, claim_address, form_of
from zone.core.clock import database_now
from zone.core.templatetags.zone_format import moment

pytestmark = pytest.mark.django_db

WRITTEN = ("zh-hans", "zh-hant", "zh-hant-hk")
# One page language, Chinese; each reads a benefit's words in their own.
READERS = {
    "zh-hans": ("ALIPAY_CN", "zh-hans"),
    "zh-hant": ("ALIPAY_CN", "zh-hant"),
    "zh-hant-hk": ("ALIPAY_HK", "zh-hant"),
}


@pytest.fixture(autouse=True)
def kept_for_long(monkeypatch):
    """A slow machine must not make these tests pass by forgetting."""
    monkeypatch.setattr(panels, "PANEL_SECONDS", 600.0)
    monkeypatch.setattr(panels, "_panels", {})


def reader(wallet, language):
    member = make_member(wallet=wallet, language=language)
    bind(member)
    return member


def benefit_in_all_words(**fields):
    benefit = make_benefit(**fields)
    for language in WRITTEN:
        BenefitText.objects.create(benefit=benefit, language=language, title=f"In {language}")
    return benefit


def ask(phone, member, release):
    sign_in(phone, member)
    return phone.post(claim_address(release), form_of(release), headers=HTMX)


def titles_in(page):
    return {language for language in WRITTEN if f"In {language}<" in page}


def test_winners_read_the_benefit_in_their_own_words(client, door):
    release = make_release(benefit_in_all_words(), codes=len(READERS), is_hot=True)
    for language, (wallet, spoken) in READERS.items():
        answer = ask(client, reader(wallet, spoken), release)
        assert answer["Content-Language"] == "zh-hans"
        assert titles_in(answer.content.decode()) == {language}


@pytest.mark.parametrize("order", [WRITTEN, WRITTEN[::-1]], ids=["forth", "back"])
def test_losers_read_what_else_there_is_in_their_own_words(client, door, order):
    gone = make_release(make_benefit(), codes=1, is_hot=True)
    make_release(benefit_in_all_words(), codes=1)
    claim(reader("ALIPAY_CN", "en"), gone)
    door.note_sold_out(gone.pk)
    for language in order:
        answer = ask(client, reader(*READERS[language]), gone)
        assert titles_in(answer.content.decode()) == {language}


def test_winners_in_two_zones_read_their_own_last_instant(client, door):
    """The moment in a kept panel is said in its reader's zone."""
    release = make_release(make_benefit(), codes=2, is_hot=True)
    one, other = reader("ALIPAY_CN", "en"), reader("ALIPAY_CN", "en")
    other.time_zone = "America/Los_Angeles"
    other.save(update_fields=["time_zone"])
    pages = [ask(client, member, release).content.decode() for member in (one, other)]
    ends = [Claim.objects.get(member=member).valid_until for member in (one, other)]
    assert ends[0] != ends[1]
    said = [re.search(r"Good until ([^<]+)<", page)[1] for page in pages]
    with timezone.override(ZoneInfo(one.time_zone)):
        assert said[0] == moment(ends[0])
    with timezone.override(ZoneInfo(other.time_zone)):
        assert said[1] == moment(ends[1])


def test_a_member_who_may_not_claim_is_told_so_and_spoils_nobodys_panel(
    client, door, alice, bob, carol
):
    """Frozen, being erased, not bound: what is right for one of them stays theirs."""
    gone = make_release(make_benefit(), codes=1, is_hot=True)
    other = make_release(make_benefit(), codes=1)
    claim(reader("ALIPAY_CN", "en"), gone)
    door.note_sold_out(gone.pk)
    leaving = reader("ALIPAY_CN", "en")
    leaving.status = "erasing"
    alice.frozen_at = database_now()
    for member in (alice, leaving):
        member.save()
    link = f'href="/benefits/{other.benefit.slug}"'

    assert ask(client, alice, gone)["HX-Redirect"] == "/me/on-hold"
    for member, sees in ((leaving, False), (carol, False), (bob, True), (leaving, False)):
        page = ask(client, member, gone).content.decode()
        assert "All gone" in page
        assert (link in page) == sees


def test_nothing_of_a_winner_is_in_the_panel_that_is_kept(client, door, alice):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    alice.display_name = "Wang Xiaoming"
    alice.save(update_fields=["display_name"])
    page = ask(client, alice, release).content.decode()
    made = Claim.objects.get(member=alice)
    code = open_code(find_code(made))
    own = (made.public_id, code.code, in_groups(code.code), f"code={code.code}")
    assert all(word in page for word in own)  # The control: the answer itself holds them.
    kept = " ".join(str(entry) for entry in panels._panels.items())
    assert "All yours" in kept
    for word in (*own, alice.public_id, alice.display_name, "csrf"):
        assert word not in kept


def test_nothing_of_an_owner_is_in_the_panel_that_is_kept(client, door, alice, bob):
    release = make_release(make_benefit(), codes=2, is_hot=True)
    own = {member: claim(member, release).public_id for member in (alice, bob)}
    for member, other in ((alice, bob), (bob, alice)):
        page = ask(client, member, release).content.decode()
        assert own[member] in page
        assert own[other] not in page
    kept = " ".join(str(entry) for entry in panels._panels.items())
    assert "You have this one" in kept
    for member in (alice, bob):
        assert own[member] not in kept
        assert member.public_id not in kept


def test_a_host_that_is_not_ours_hears_nothing(client, door, alice):
    gone = make_release(make_benefit(), codes=1, is_hot=True)
    door.note_sold_out(gone.pk)
    sign_in(client, alice)
    form = form_of(gone)
    asked = client.post(claim_address(gone), form, headers={**HTMX, "Host": "evil.example"})
    assert asked.status_code == 400
    assert b"All gone" not in asked.content


def test_the_consoles_host_answers_no_member(client, door, alice, settings):
    settings.CONSOLE_HOST = "console.example"
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "console.example"]
    gone = make_release(make_benefit(), codes=1, is_hot=True)
    door.note_sold_out(gone.pk)
    sign_in(client, alice)
    form = form_of(gone)
    asked = client.post(claim_address(gone), form, headers={**HTMX, "Host": "console.example"})
    assert asked.status_code == 404
