"""The main job on a phone: sign in, see what Apple charged, claim a coupon and a trial."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from benefits.models import Claim
from credits.queries import get_balance
from tests.history.messages import bill, line, user_id_of
from zone.core.clock import database_now
from zone.history.services.ingest import ingest_bill
from zone.members.models import Member

pytestmark = [pytest.mark.browser, pytest.mark.slow]
GRANTED_WITHIN_MS = 45_000


def sign_in(page: Page, url: str) -> None:
    """From the front page through the sandbox wallet and back, as somebody new, then link."""
    page.goto(url)
    page.get_by_role("link", name="Sign in with your wallet").click()
    page.get_by_label(re.compile("I agree to the")).check()
    page.get_by_role("button", name="Continue with Alipay", exact=True).click()
    through_the_wallet(page, "Open Alipay", "Allow")
    page.get_by_role("button", name="Yes, continue").click()
    page.get_by_role("link", name="Link my wallet").click()
    page.get_by_role("button", name=re.compile("Continue to")).click()
    through_the_wallet(page, "Open Alipay", "Agree and confirm")


def through_the_wallet(page: Page, link: str, yes: str) -> None:
    """Over to the wallet (the page may go there by itself), choose a person, agree."""
    agreed = page.get_by_role("button", name=yes)
    person = page.get_by_label("Name", exact=True)
    page.wait_for_url(re.compile(r"/sandbox/wallet/"))
    expect(agreed.or_(person)).to_be_visible()
    if person.is_visible():
        person.fill("Mei")
        page.get_by_role("button", name="Make and sign in").click()
    agreed.click()


def pay_apple(member: Member) -> None:
    """What the wallet tells us when Apple charged the member: ¥68.00, minutes ago."""
    paid_at = (database_now() - timedelta(minutes=5)).isoformat(timespec="seconds")
    receipt = ingest_bill(
        wallet_code=member.wallet_id,
        body=bill(user_id_of(member), pay_time=paid_at, lines=[line("Chess Valley", "6800")]),
    )
    assert receipt.outcome == "stored"


def test_sign_in_see_charges_claim_a_coupon_and_a_trial(live_stack, shop, quiet_page, take_picture):
    stack = live_stack(worker=True, issuer=True, beat=True)
    page = quiet_page

    sign_in(page, stack.url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    take_picture(page, "01-linked")
    member = Member.objects.get()

    pay_apple(member)
    page.goto(f"{stack.url}/activity")
    expect(page.get_by_text("Chess Valley").first).to_be_visible()
    expect(page.get_by_text("¥68.00").first).to_be_visible()
    take_picture(page, "02-activity")

    page.goto(f"{stack.url}/")
    take_picture(page, "03-today")
    page.get_by_role("link", name="Benefits").last.click()
    take_picture(page, "04-benefits")
    page.get_by_role("link", name=re.compile("¥6 off ¥30")).first.click()
    take_picture(page, "05-coupon")
    page.locator(".ctabar").get_by_role("link", name="Get").click()
    take_picture(page, "06-confirm")
    page.get_by_role("button", name="Get it").click()
    expect(page.get_by_role("heading", name="All yours")).to_be_visible()
    code = page.locator("dialog .code__letters").inner_text().replace(" ", "")
    assert code.startswith("TEST")
    take_picture(page, "07-code")

    claim = Claim.objects.get(member=member, release=shop.coupon)
    assert claim.state == Claim.State.GRANTED
    page.goto(f"{stack.url}/me/benefits/{claim.public_id}")
    page.get_by_role("button", name="Show the code").click()
    expect(page.locator(".code__letters")).to_have_text(" ".join(re.findall(".{1,4}", code)))
    take_picture(page, "08-voucher")

    wait_for_credits(page, stack.url, "68")
    page.goto(f"{stack.url}/benefits/music-trial")
    page.locator(".ctabar").get_by_role("link", name="Redeem").click()
    page.get_by_role("button", name="Redeem for 60").click()
    expect(page.get_by_role("heading", name=re.compile("preparing it|All yours"))).to_be_visible()
    take_picture(page, "09-preparing")
    expect(page.get_by_role("heading", name="All yours")).to_be_visible(timeout=GRANTED_WITHIN_MS)
    take_picture(page, "10-trial")
    trial = Claim.objects.get(member=member, release=shop.trial)
    assert trial.state == Claim.State.GRANTED
    assert (get_balance(member).available, get_balance(member).held) == (8, 0)

    page.goto(f"{stack.url}/inbox")
    expect(page.get_by_text("3 months free is yours")).to_be_visible()
    take_picture(page, "11-inbox")
    books = stack.database.manage("verify_books", REDIS_URL=stack.env["REDIS_URL"])
    assert books.returncode == 0, books.stdout + books.stderr


def wait_for_credits(page: Page, url: str, amount: str) -> None:
    """The worker turns the charge into credits; the front page shows the balance it reads."""
    for _ in range(60):
        page.goto(url)
        if page.locator("#balance").inner_text() == amount:
            return
        page.wait_for_timeout(500)
    expect(page.locator("#balance")).to_have_text(amount)


def test_the_way_to_the_wallet_is_quiet_for_who_likes_motion(
    live_stack, browser, browser_context_args
):
    """Our pages turn into each other; the wallet's take no part, and nothing complains of it."""
    stack = live_stack()
    context = browser.new_context(**{**browser_context_args, "reduced_motion": "no-preference"})
    seen: list[str] = []
    context.on("weberror", lambda error: seen.append(str(error.error)))
    context.on("console", lambda line: seen.append(line.text) if line.type == "error" else None)
    for _ in range(4):
        page = context.new_page()
        page.goto(f"{stack.url}/welcome")
        page.get_by_label(re.compile("I agree to the")).check()
        page.wait_for_timeout(400)
        page.get_by_role("button", name="Continue with Alipay", exact=True).click()
        page.wait_for_url(re.compile(r"/sandbox/wallet/"))
        expect(page.get_by_label("Name", exact=True)).to_be_visible()
        page.wait_for_timeout(600)
        assert seen == []
        page.close()
    context.close()


def test_without_javascript_the_claim_works(
    live_stack, shop, browser, browser_context_args, take_picture
):
    stack = live_stack()
    context = browser.new_context(**{**browser_context_args, "java_script_enabled": False})
    page = context.new_page()

    sign_in(page, stack.url)
    while page.get_by_role("button", name="Continue", exact=True).count():
        page.get_by_role("button", name="Continue", exact=True).click()
    page.goto(f"{stack.url}/benefits/coupon-6")
    page.locator(".ctabar").get_by_role("link", name="Get").click()
    expect(page).to_have_url(f"{stack.url}/benefits/coupon-6/claim")
    page.get_by_role("button", name="Get it").click()
    expect(page).to_have_url(re.compile(r"/me/benefits/clm_"))
    page.get_by_role("button", name="Show the code").click()
    expect(page.locator(".code__letters")).to_contain_text("TEST")
    take_picture(page, "20-without-script")
    page.get_by_role("link", name="Me", exact=True).last.click()
    page.get_by_role("button", name="Sign out").click()
    assert Claim.objects.filter(release=shop.coupon).count() == 1
    context.close()
