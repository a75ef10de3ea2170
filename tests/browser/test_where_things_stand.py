"""Pages measured in a real browser: what belongs side by side, is as wide as it may be, and is seen."""

from datetime import timedelta
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.gifting import send
from tests.browser.test_gift_walk import sign_in
from tests.factories import bind, make_member
from zone.core.clock import database_now

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def box(page, place):
    return page.locator(place).first.bounding_box()


def is_as_wide_as_the_window(page):
    return page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_on_a_desk_the_picture_stands_beside_the_words(live_stack, shop, quiet_page, take_picture):
    page = quiet_page
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(f"{live_stack().url}/benefits/{shop.coupon.benefit.slug}")
    take_picture(page, "desk-benefit")
    hero, words = box(page, ".herocol"), box(page, ".detail__body")
    assert abs(hero["y"] - words["y"]) < 4, (hero, words)
    assert hero["x"] + hero["width"] <= words["x"]
    assert words["width"] > hero["width"]


def test_a_gift_is_composed_and_changed_on_the_narrowest_phone(
    live_stack, shop, quiet_page, take_picture
):
    page, url = quiet_page, live_stack().url
    ann = make_member()
    bind(ann)
    others = [claim(ann, make_release(make_benefit(valid_days=9), codes=1)) for _ in range(5)]
    made = claim(ann, shop.coupon)
    sign_in(page, url, ann)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{url}/gifts/new?claim={made.public_id}")
    take_picture(page, "narrow-gift")
    chosen = page.locator("input[name=claim]:checked")
    expect(chosen).to_be_in_viewport()
    assert chosen.get_attribute("value") == made.public_id
    cards = page.locator(".gtheme__pic").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(one => [one.left, one.right, one.height])"
    )
    assert len({round(height) for _, _, height in cards}) == 1
    assert all(right < left for (_, right, _), (left, _, _) in pairwise(cards))
    assert is_as_wide_as_the_window(page)

    later = database_now() + timedelta(days=2)
    gift = send(others[0], deliver_at=later, time_zone="Asia/Shanghai")
    page.goto(f"{url}/gifts/{gift.public_id}/edit")
    take_picture(page, "narrow-edit")
    day, hour = box(page, "#id_on"), box(page, "#id_hour")
    assert min(day["width"], hour["width"]) > 90
    assert day["x"] + day["width"] <= hour["x"]
    assert is_as_wide_as_the_window(page)
