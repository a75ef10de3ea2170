"""A gift on two phones: packed and previewed on one, opened and thanked for on the other."""

import re

import pytest
from django.conf import settings
from playwright.sync_api import expect

from benefits.models import Claim, Gift
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import bind, make_member
from zone.core import clock
from zone.members.services import sessions

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def sign_in(page, url, member):
    cookie = sessions.open_session(member=member, now=clock.now()).cookie
    page.context.add_cookies([{"name": settings.MEMBER_COOKIE_NAME, "value": cookie, "url": url}])


def test_a_gift_from_one_phone_to_another(live_stack, shop, quiet_page, take_picture):
    stack, page = live_stack(), quiet_page
    ann, ben = make_member(), make_member()
    bind(ann)
    bind(ben)
    made = claim(ann, shop.coupon)

    sign_in(page, stack.url, ann)
    page.goto(f"{stack.url}/me/benefits/{made.public_id}")
    page.get_by_role("link", name="Send to a friend").click()
    page.get_by_text("Spring").click()
    page.get_by_label("What you want to say").fill("Enjoy your evening, dear Ben")
    page.get_by_label("For").fill("Ben")
    page.get_by_label("From").fill("Ann")
    expect(page.locator("output")).to_have_text("28/50")
    take_picture(page, "gift-1-compose")
    page.get_by_label("At an hour I choose").check()
    page.get_by_role("button", name="Preview").scroll_into_view_if_needed()
    take_picture(page, "gift-2-hour")
    page.get_by_label("Now").check()
    page.get_by_role("button", name="Preview").click()
    take_picture(page, "gift-3-preview")
    page.get_by_role("button", name="Send", exact=True).click()
    link = page.locator(".glink__address").inner_text()
    expect(page.get_by_text("Waiting to be opened")).to_be_visible()
    take_picture(page, "gift-4-given")
    page.get_by_text("Poster to share").click()
    poster = page.locator(".glink__poster")
    poster.scroll_into_view_if_needed()
    expect(poster).to_have_js_property("naturalWidth", 900)
    take_picture(page, "gift-6-poster")
    page.goto(f"{stack.url}/gifts")
    take_picture(page, "gift-5-centre")

    page.context.clear_cookies()
    page.goto(link)
    expect(page.get_by_role("heading", name="A gift for Ben")).to_be_visible()
    expect(page.get_by_text("Enjoy your evening")).to_have_count(0)
    take_picture(page, "gift-7-box")
    page.get_by_role("link", name="Sign in to open it").click()
    expect(page).to_have_url(re.compile(r"/welcome\?next="))
    sign_in(page, stack.url, ben)
    page.goto(link)
    page.get_by_role("button", name="Open the box").click()
    expect(page.get_by_text("Enjoy your evening, dear Ben")).to_be_visible()
    take_picture(page, "gift-8-opened")
    page.get_by_role("button", name="Accept").click()
    page.get_by_label("Say thank you").fill("You are too kind")
    take_picture(page, "gift-9-accepted")
    page.get_by_role("button", name="Send thanks").click()
    page.get_by_role("link", name="Open in My benefits").click()
    take_picture(page, "gift-10-voucher")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Claim.objects.get(member=ben).state == "granted"
    assert Gift.objects.get().thanks == "You are too kind"

    dora = make_member()
    bind(dora)
    sign_in(page, stack.url, dora)
    page.goto(link)
    expect(page.get_by_text("Somebody opened this box before you")).to_be_visible()
    take_picture(page, "gift-11-late")


def test_a_trial_is_watched_over(live_stack, cloned_database, quiet_page, take_picture):
    stack, page = live_stack(), quiet_page
    ann = make_member()
    bind(ann)
    detail = {
        "service": "apple_music", "trial_period": "P1M", "renews_price": 1100,
        "renews_currency": "CNY",
    }  # fmt: skip
    benefit = make_benefit(kind="apple_music_trial", detail=detail, hue="pink")
    made = claim(ann, make_release(benefit, codes=1))
    sign_in(page, stack.url, ann)
    page.goto(f"{stack.url}/me/benefits/{made.public_id}")
    page.get_by_role("button", name="Show the code").click()
    page.goto(f"{stack.url}/trials")
    expect(page.get_by_text("Apple first charges ¥11.00")).to_be_visible()
    with page.expect_navigation():
        page.get_by_label("Remind me").select_option("7")
    expect(page.get_by_label("Remind me")).to_have_value("7")
    take_picture(page, "trial-1-running")
    page.goto(f"{stack.url}/me/benefits/{made.public_id}")
    take_picture(page, "trial-2-voucher")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
