"""Bars that float keep clear of what is focused and of the end of a page, on two sizes of phone.

The rule is WCAG 2.2, 2.4.11 Focus Not Obscured (https://www.w3.org/TR/WCAG22/#focus-not-obscured-minimum),
and stricter: not even a part of a control lies under a bar.
"""

from datetime import timedelta

import pytest

from benefits.models import Benefit, BenefitText
from benefits.services.rules import set_rule
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.benefits.gifting import send
from tests.browser.test_gift_walk import sign_in
from tests.browser.test_late_life_walk import make_choice
from tests.factories import bind, make_member
from zone.core.clock import database_now

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SIZES = [(390, 844), (360, 640)]

# What floats and is seen; and each control, focused: whether it lies in the window and under what.
COVERED = """() => {
  document.documentElement.style.scrollBehavior = "auto";
  const seen = one => one.checkVisibility({visibilityProperty: true});
  const bars = [...document.querySelectorAll("body *")].filter(one =>
    getComputedStyle(one).position === "fixed" && seen(one) && !one.closest("dialog")
    && getComputedStyle(one).pointerEvents !== "none" && !one.classList.contains("skip"));
  const under = (box, own) => bars.filter(bar => !bar.contains(own)).filter(bar => {
    const b = bar.getBoundingClientRect();
    return Math.min(b.right, box.right) - Math.max(b.left, box.left) > 1
      && Math.min(b.bottom, box.bottom) - Math.max(b.top, box.top) > 1;
  });
  const name = one => (one.textContent || one.name || one.href || "").trim().slice(0, 40);
  const faults = [];
  let looked = 0;
  const ask = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const inOrder = [...document.querySelectorAll(ask)].filter(one => !one.disabled && !one.closest("dialog, .skip"));
  // From above and from below: a control comes into the window at either edge.
  for (const all of [inOrder, [...inOrder].reverse()]) for (const one of all) {
    one.focus();
    if (document.activeElement !== one || !seen(one)) continue;
    const drawn = one.matches("input[type=radio], input[type=checkbox]") ? one.closest("label") || one : one;
    const box = drawn.getBoundingClientRect();
    if (!box.width || box.height > innerHeight / 2) continue;
    looked += 1;
    for (const bar of under(box, one)) faults.push(`${name(one)} under ${bar.className}`);
    if (box.top < -1 || box.bottom > innerHeight + 1) faults.push(`${name(one)} outside`);
  }
  scrollTo(0, document.documentElement.scrollHeight);
  for (const one of document.querySelectorAll("main a, main button, main p, main li, main small, main time")) {
    const box = one.getBoundingClientRect();
    if (!seen(one) || !box.height || one.closest("dialog, .toasts")) continue;
    if (box.bottom > innerHeight * 2 / 3)
      for (const bar of under(box, one)) faults.push(`the end: ${name(one)} under ${bar.className}`);
  }
  return {looked, bars: bars.length, faults: [...new Set(faults)]};
}"""


def locked(slug, **fields):
    benefit = make_benefit(slug=slug, **fields)
    BenefitText.objects.filter(benefit=benefit).update(
        title="Three months of Apple Music", subtitle="For who buys something first"
    )
    make_release(benefit, codes=2)
    return benefit


@pytest.fixture
def places(cloned_database, shop):
    """Somebody who has a little of everything, and the pages that they can open."""
    ann, now = make_member(), database_now()
    bind(ann)
    give_credits(ann, 40)
    ruled = locked("ruled", hue=Benefit.Hue.PINK)
    rule = {"is": "purchases", "count": 1, "days": 30}
    set_rule(benefit=ruled, tree=rule, actor="operator:x", now=now)
    locked("dear", price_credits=900)
    locked("paused", status="paused")
    gone = make_release(make_benefit(slug="gone"), codes=1)
    other = make_member()
    bind(other)
    claim(other, gone)
    make_choice()
    made = claim(ann, shop.coupon)
    given = claim(ann, make_release(make_benefit(valid_days=9), codes=1))
    gift = send(given, deliver_at=now + timedelta(days=2), time_zone="Asia/Shanghai")
    mine = f"/me/benefits/{made.public_id}"
    return ann, [
        "/", "/benefits", "/benefits/ruled", "/benefits/dear", "/benefits/paused",
        "/benefits/gone", "/benefits/music-trial", f"/benefits/{shop.coupon.benefit.slug}",
        "/benefits/music-trial/claim", "/bundles/evening-pick", "/me/benefits", mine,
        f"{mine}/return", f"{mine}/rescue", f"{mine}/report", "/gifts",
        f"/gifts/new?claim={made.public_id}", f"/gifts/{gift.public_id}",
        f"/gifts/{gift.public_id}/edit", "/credits", "/credits/statement", "/stamps",
        "/trials", "/activity", "/subscriptions", "/inbox", "/me", "/settings", "/bind",
    ]  # fmt: skip


def test_no_control_that_is_focused_lies_under_a_bar(live_stack, quiet_page, places):
    ann, paths = places
    page, url = quiet_page, live_stack().url
    sign_in(page, url, ann)
    faults, bars, looked = {}, 0, 0
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for path in paths:
            answer = page.goto(f"{url}{path}")
            if answer.status == 404:
                faults[path] = "there is no such page"
                continue
            found = page.evaluate(COVERED)
            bars += found["bars"]
            looked += found["looked"]
            if found["faults"]:
                faults[f"{path} {width}x{height}"] = found["faults"]
    assert not faults, "\n".join(f"{path}: {said}" for path, said in faults.items())
    assert bars >= len(paths), "a page without a bar is the exception"
    assert looked > 20 * len(SIZES) * len(paths)


@pytest.mark.parametrize("slug", ["ruled", "dear", "paused", "music-trial"])
def test_the_button_that_asks_to_be_told_is_free_from_the_start(
    live_stack, quiet_page, places, take_picture, slug
):
    ann, _ = places
    page, url = quiet_page, live_stack().url
    sign_in(page, url, ann)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{url}/benefits/{slug}")
        take_picture(page, f"told-{slug}-{width}")
        button = page.locator("#wish button")
        covering = button.evaluate(
            """button => {
              const box = button.getBoundingClientRect();
              return [...document.querySelectorAll("body *")].filter(one => {
                if (getComputedStyle(one).position !== "fixed" || !one.checkVisibility()) return false;
                const bar = one.getBoundingClientRect();
                return !one.closest("dialog") && bar.top < box.bottom && bar.bottom > box.top;
              }).map(one => one.className);
            }"""
        )
        assert covering == [], (slug, width)


def test_the_walk_sees_a_bar_that_covers(live_stack, quiet_page, places):
    """The same walk, with the room that bars are given taken away."""
    ann, _ = places
    page, url = quiet_page, live_stack().url
    sign_in(page, url, ann)
    page.goto(f"{url}/settings")
    page.evaluate("document.documentElement.style.scrollPaddingBottom = '0'")
    page.evaluate("document.querySelector('main').style.paddingBottom = '0'")
    assert page.evaluate(COVERED)["faults"]
