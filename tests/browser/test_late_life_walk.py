"""A choice that changes, and a benefit that runs out, on one phone: by day, by night, in Chinese."""

import re

import pytest
from playwright.sync_api import expect

from benefits.models import Benefit, BenefitText, Bundle, BundleItem, Claim
from benefits.services.waitlist import join_waitlist
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.browser.test_gift_walk import sign_in
from tests.factories import bind, make_member
from zone.core.clock import database_now

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TITLES = {
    "en": ("A film on Apple TV", "A book in Apple Books", "A month of Apple Arcade"),
    "zh-hans": ("Apple TV 电影一部", "图书一本", "Apple Arcade 一个月"),
}


def make_choice(kind="pick", **fields):
    releases = []
    for place, hue in enumerate((Benefit.Hue.NIGHT, Benefit.Hue.ORANGE, Benefit.Hue.VIOLET)):
        benefit = make_benefit(
            slug=f"{kind}-{place}", hue=hue, price_credits=10 * (place + 3), valid_days=2
        )
        BenefitText.objects.filter(benefit=benefit).update(title=TITLES["en"][place])
        BenefitText.objects.create(
            benefit=benefit, language="zh-hans", title=TITLES["zh-hans"][place]
        )
        releases.append(make_release(benefit, codes=2))
    bundle = Bundle.objects.create(
        slug=f"evening-{kind}",
        kind=kind,
        words={
            "en": {"title": "An evening of your choice", "text": "One of these, on us."},
            "zh-hans": {"title": "任选一晚好时光", "text": "任选其一。"},
        },
        **fields,
    )
    for place, release in enumerate(releases):
        BundleItem.objects.create(
            bundle=bundle, benefit=release.benefit, position=place, least_spent=5000 * place
        )
    return releases


def look(page, url, take_picture, name):
    page.goto(url)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"{name} is {width} wide"
    take_picture(page, name)


@pytest.mark.parametrize(
    ("name", "language", "scheme"), [("day", "en", "light"), ("night", "zh-hans", "dark")]
)
def test_a_choice_and_a_rescue_on_one_phone(
    cloned_database, live_stack, quiet_page, take_picture, name, language, scheme
):
    releases = make_choice()
    make_choice("ladder", currency="CNY", spent_days=30)
    make_choice("all")
    stack, page = live_stack(), quiet_page
    ann, ben = make_member(language=language), make_member()
    for member in (ann, ben):
        bind(member)
        give_credits(member, 500)
    made = claim(ann, releases[0])
    claim(ben, releases[0])
    join_waitlist(member=make_bound(), release=releases[0], now=database_now())
    page.emulate_media(color_scheme=scheme)
    sign_in(page, stack.url, ann)

    for kind in ("pick", "ladder", "all"):
        look(page, f"{stack.url}/bundles/evening-{kind}", take_picture, f"late-{name}-{kind}")
    look(page, f"{stack.url}/benefits", take_picture, f"late-{name}-catalogue")
    look(page, f"{stack.url}/benefits/pick-1", take_picture, f"late-{name}-detail")
    mine = f"{stack.url}/me/benefits/{made.public_id}"
    look(page, mine, take_picture, f"late-{name}-claim")
    look(page, f"{mine}/rescue", take_picture, f"late-{name}-rescue")
    look(page, f"{mine}/return", take_picture, f"late-{name}-return")

    page.goto(f"{mine}/rescue")
    page.locator("form:has(input[value=snooze]) button").click()
    expect(page).to_have_url(mine)
    page.goto(f"{stack.url}/bundles/evening-pick")
    page.locator("form[action$=change] button").first.click()
    expect(page).to_have_url(re.compile(r"/me/benefits/clm_"))
    assert Claim.objects.get(member=ann, holds_slot=True).release == releases[1]
    look(page, page.url, take_picture, f"late-{name}-changed")
    look(page, mine, take_picture, f"late-{name}-given-back")
    page.goto(f"{stack.url}/bundles/evening-all")
    page.locator("form[action$=claim] button").click()
    expect(page).to_have_url(f"{stack.url}/me/benefits")
    take_picture(page, f"late-{name}-mine")
    assert Claim.objects.filter(member=ann, holds_slot=True).count() == 4


def make_bound():
    member = make_member()
    bind(member)
    return member
