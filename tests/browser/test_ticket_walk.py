"""A draw ticket on one phone: its card, the entry it is, and how it went; by day, by night, in Chinese."""

import re

import pytest
from playwright.sync_api import expect

from benefits.models import Benefit, BenefitText, Claim, DrawEntry
from benefits.services import draws
from tests.benefits.factories import claim, give_credits
from tests.benefits.test_draw_tickets import close, make_draw, make_tickets
from tests.browser.test_gift_walk import sign_in
from tests.browser.test_late_life_walk import look
from tests.factories import bind, make_member

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WORDS = {
    "prize": ("¥100 off the App Store", "App Store 满 100 减 100"),
    "chance": ("A ticket to ¥100 off", "满 100 减 100 抽签券"),
}


def open_draw():
    draw = make_draw(stock=1, slug="prize", hue=Benefit.Hue.NIGHT)
    release = make_tickets(draw, price=20, slug="chance", hue=Benefit.Hue.PINK, sort_weight=1)
    for slug, (english, chinese) in WORDS.items():
        texts = BenefitText.objects.filter(benefit__slug=slug)
        texts.update(title=english)
        BenefitText.objects.create(
            benefit=texts.get().benefit, language="zh-hans", title=chinese, terms="一次。"
        )
    return draw, release


def is_over(draw):
    """Whether everyone was told; a worker of the stack may be at it, too."""
    draws.drain_draws()
    draw.refresh_from_db()
    return draw.state == "done" and not draw.entries.filter(told_at=None).exists()


@pytest.mark.parametrize(
    ("name", "language", "scheme"), [("day", "en", "light"), ("night", "zh-hans", "dark")]
)
def test_a_ticket_is_taken_undone_taken_again_and_drawn(
    cloned_database, live_stack, quiet_page, take_picture, name, language, scheme
):
    draw, release = open_draw()
    stack, page = live_stack(), quiet_page
    ann, ben = make_member(language=language), make_member()
    for member in (ann, ben):
        bind(member)
        give_credits(member, 100)
    claim(ben, release)
    page.emulate_media(color_scheme=scheme)
    sign_in(page, stack.url, ann)

    look(page, f"{stack.url}/benefits", take_picture, f"ticket-{name}-catalogue")
    look(page, f"{stack.url}/draws/{draw.public_id}", take_picture, f"ticket-{name}-draw")
    page.locator("a.btn[href='/benefits/chance']").click()
    expect(page).to_have_url(f"{stack.url}/benefits/chance")
    look(page, page.url, take_picture, f"ticket-{name}-benefit")
    page.locator(".ctabar a.btn").click()
    button = page.locator("#claim-panel button[type=submit]")
    expect(button).to_be_visible()
    take_picture(page, f"ticket-{name}-sheet")
    button.click()
    expect(page.locator("#result")).to_contain_text(WORDS["prize"][language != "en"])
    take_picture(page, f"ticket-{name}-taken")
    first = Claim.objects.get(member=ann)
    entry = DrawEntry.objects.get(ticket=first)

    mine = f"{stack.url}/me/benefits/{first.public_id}"
    look(page, mine, take_picture, f"ticket-{name}-claim")
    expect(page.locator("main")).to_contain_text(entry.public_id)
    page.goto(f"{mine}/return")
    page.locator("form[data-once] button").click()
    expect(page).to_have_url(mine)
    assert not DrawEntry.objects.filter(member=ann).exists()
    look(page, mine, take_picture, f"ticket-{name}-undone")

    second = claim(ann, release)
    look(page, f"{stack.url}/me/benefits", take_picture, f"ticket-{name}-mine")
    look(page, f"{stack.url}/draws/{draw.public_id}", take_picture, f"ticket-{name}-entered")
    close(draw)
    stack.wait_for(lambda: is_over(draw), "web", seconds=30)
    page.goto(f"{stack.url}/me/benefits/{second.public_id}")
    expect(page.locator(f"a[href='/draws/{draw.public_id}']")).to_be_visible()
    won = DrawEntry.objects.filter(member=ann, state="won").exists()
    expect(page.locator("a.btn", has_text=re.compile("what you won|中签福利"))).to_have_count(
        int(won)
    )
    look(page, page.url, take_picture, f"ticket-{name}-drawn")
    look(page, f"{stack.url}/inbox", take_picture, f"ticket-{name}-told")
