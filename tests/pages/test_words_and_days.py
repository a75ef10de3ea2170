"""How words and days read on members' pages."""

from datetime import timedelta

import pytest
from django.utils import timezone

from benefits.models import Benefit, BenefitText
from benefits.templatetags.benefit_looks import points
from tests.benefits.factories import make_benefit, make_release
from zone.core.templatetags.zone_format import moment, short_day, storefront_name

NOON = {"hour": 4, "minute": 0, "second": 0, "microsecond": 0}


@pytest.mark.parametrize("say", [moment, short_day], ids=["moment", "short_day"])
def test_a_day_half_a_year_away_says_its_year_and_a_near_one_does_not(say):
    now = timezone.now().replace(**NOON)
    far, near = now - timedelta(days=370), now + timedelta(days=20)
    assert f"{far.year}" in say(far)
    assert f"{near.year}" not in say(near)


def test_a_bare_sentence_among_the_steps_is_said_as_it_was_written():
    assert points(["Open the App Store", {"title": "Redeem", "text": "Once"}]) == [
        {"title": "Open the App Store", "text": ""},
        {"title": "Redeem", "text": "Once"},
    ]
    assert points({"title": "no list"}) == []


def test_the_steps_of_a_benefit_keep_their_capitals(alices_phone, db):
    make_release(make_benefit(slug="steps"), codes=1)
    BenefitText.objects.filter(benefit__slug="steps").update(steps=["Open it in My benefits"])
    assert "<b>Open it in My benefits</b>" in alices_phone.get("/benefits/steps").content.decode()


def test_a_region_is_a_name():
    assert storefront_name("CHN") == "China"
    assert storefront_name("") == ""


def test_the_linked_wallet_names_its_region(alices_phone):
    page = alices_phone.get("/me/wallet").content.decode()
    assert "<dd>China</dd>" in page
    assert "CHN" not in page


def test_a_code_for_a_film_wears_a_film():
    film = Benefit(kind="offer_code", detail={"app_name": "Apple TV", "offer": "P1M"})
    game = Benefit(kind="offer_code", detail={"app_name": "Chess", "offer": "P1M"})
    assert (film.icon, game.icon) == ("film", "arcade")
