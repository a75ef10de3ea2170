"""A gift that three pay for and a fourth opens, each on their own phone."""

import re

import pytest
from playwright.sync_api import expect

from benefits.models import BenefitText, Claim, Gift, GroupGift
from tests.benefits.grouping import make_friend, make_priced_release, wallet_of
from tests.browser.test_gift_walk import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def put_in(page, url, member, link, amount, name):
    sign_in(page, url, member)
    page.goto(link)
    page.get_by_label("Credits from you").fill(str(amount))
    page.get_by_label("From", exact=True).fill(name)
    page.get_by_role("button", name="Put in").click()
    expect(page).to_have_url(re.compile("/gifts/together/"))


def test_three_friends_pay_and_a_fourth_opens(
    live_stack, cloned_database, quiet_page, take_picture
):
    stack, page = live_stack(), quiet_page
    ann, ben, dora, zoe = (make_friend() for _ in range(4))
    release = make_priced_release(hue="pink")
    BenefitText.objects.update(title="3 months of music", kicker="Apple Music")

    sign_in(page, stack.url, ann)
    page.goto(f"{stack.url}/benefits/{release.benefit.slug}")
    page.get_by_role("link", name="Give it together with friends").click()
    page.get_by_label("Credits from you").fill("10")
    page.get_by_text("Spring").click()
    page.get_by_label("What you want to say").fill("From all of us")
    page.get_by_label("For", exact=True).fill("Zoe")
    page.get_by_label("From", exact=True).fill("Ann")
    take_picture(page, "group-1-start")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Start collecting").click()
    expect(page.get_by_role("heading", name="20 credits are still missing")).to_be_visible()
    link = page.locator(".glink__address").inner_text()
    page.get_by_text("Poster to share").click()
    poster = page.locator(".glink__poster")
    poster.scroll_into_view_if_needed()
    expect(poster).to_have_js_property("naturalWidth", 900)
    page.goto(page.url)
    take_picture(page, "group-2-collecting")
    page.emulate_media(color_scheme="dark")
    take_picture(page, "group-3-dark")
    page.emulate_media(color_scheme="light")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.context.clear_cookies()
    page.goto(link)
    expect(page).to_have_url(re.compile(r"/welcome\?next="))
    put_in(page, stack.url, ben, link, 15, "Ben")
    expect(page.get_by_role("heading", name="5 credits are still missing")).to_be_visible()
    take_picture(page, "group-4-friend")
    assert wallet_of(ben) == (85, 15)
    page.context.clear_cookies()
    sign_in(page, stack.url, dora)
    page.goto(link)
    take_picture(page, "group-5-joining")
    put_in(page, stack.url, dora, link, 5, "Dora")
    expect(page.get_by_role("heading", name="It is complete")).to_be_visible()
    take_picture(page, "group-6-complete")
    assert [wallet_of(each) for each in (ann, ben, dora)] == [(90, 0), (85, 0), (95, 0)]

    page.context.clear_cookies()
    sign_in(page, stack.url, ann)
    page.goto(f"{stack.url}/gifts")
    take_picture(page, "group-7-centre")
    page.get_by_role("link", name="3 months of music").first.click()
    page.get_by_role("link", name="See the gift").click()
    take_picture(page, "group-8-given")
    box = page.locator(".glink__address").inner_text()

    page.context.clear_cookies()
    sign_in(page, stack.url, zoe)
    page.goto(box)
    page.get_by_role("button", name="Open the box").click()
    expect(page.get_by_text("From all of us")).to_be_visible()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("link", name="Open in My benefits")).to_be_visible()
    take_picture(page, "group-9-opened")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert Claim.objects.get(member=zoe).state == "granted"
    assert (GroupGift.objects.get().state, Gift.objects.get().state) == ("complete", "accepted")
