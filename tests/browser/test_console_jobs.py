"""The six main jobs of the console, each clicked through by whoever has it, at 1280 by 800."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django_otp.oath import totp
from playwright.sync_api import expect

from benefits.models import Benefit, RuleRequest
from benefits.services.population import drain_population
from benefits.services.rule_requests import ask_for_rule
from benefits.services.rules import set_rule
from credits.models import Account, AdjustRequest
from tests.benefits.factories import make_benefit, make_release
from tests.browser.test_console_pages import PASSWORD, operator_of
from tests.factories import bind, enrol_phone, make_member
from zone.core.clock import database_now
from zone.partners.models import PartnerKey

pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 800}


@pytest.fixture
def desk(live_stack, quiet_page):
    """Where an operator sits down: `desk(role)` signs one in with a second factor."""
    stack, page = live_stack(), quiet_page
    page.set_viewport_size(WIDE)
    page.url_of = lambda path="": f"{stack.url}/console/{path}"

    def sit_down(role: str):
        operator = operator_of(role)
        device = enrol_phone(operator)
        page.context.clear_cookies()
        page.goto(page.url_of())
        page.fill("#id_username", operator.username)
        page.fill("#id_password", PASSWORD)
        page.click("button.door-go")
        page.fill("#id_code", f"{totp(device.bin_key):06d}")
        page.click("button.door-go")
        page.wait_for_selector(".board-columns")
        return page

    return sit_down


def choose(page, action: str) -> None:
    """Every row of a list, and what is to be done with them."""
    page.check("#action-toggle")
    page.select_option("select[name=action]", label=action)
    page.get_by_role("button", name="Go", exact=True).click()


def save(page) -> None:
    page.locator("input[name=_save]").first.click()


def test_finance_corrects_with_a_second_person_and_owes_what_its_file_says(desk, take_picture):
    member = make_member()
    bind(member)
    page = desk("finance")
    page.goto(page.url_of("credits/adjustrequest/add/"))
    page.fill("#id_member", member.public_id)
    page.fill("#id_amount", "5000")
    page.select_option("#id_reason", index=1)
    page.fill("#id_note", "Promised in July, never given.")
    take_picture(page, "job-finance-ask")
    save(page)
    choose(page, "Apply")
    expect(page.locator(".messagelist")).to_contain_text("above your limit")
    take_picture(page, "job-finance-above")
    assert not Account.objects.filter(member=member, available__gt=0).exists()

    page = desk("finance")
    page.locator("#waiting").get_by_role("link", name="Corrections").click()
    choose(page, "Apply")
    expect(page.locator(".messagelist")).to_contain_text("Done: 1.")
    assert Account.objects.get(member=member).available == 5000
    made = AdjustRequest.objects.get()
    assert made.checker_id not in (None, made.maker_id)
    page.goto(page.url_of(f"credits/adjustrequest/{made.pk}/change/"))
    take_picture(page, "job-finance-applied")

    page.goto(page.url_of("credits/unitcost/add/"))
    page.fill("#id_currency", "CNY")
    page.select_option("#id_funder", index=1)
    page.fill("#id_per_thousand", "2.50")
    page.fill("#id_starts_on", "2026-01-01")
    take_picture(page, "job-finance-cost")
    save(page)
    expect(page.locator("#result_list")).to_contain_text("¥2.50")
    page.goto(page.url_of())
    page.get_by_role("link", name="Liability by funder and month").click()
    take_picture(page, "job-finance-liability")
    shown = [
        [cell.inner_text() for cell in row.locator("td").all()]
        for row in page.locator("section.board-card").last.locator("tbody tr").all()
    ]
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    told = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8"))))
    assert len(shown) == len(told) >= 1
    for cells, row in zip(shown, told, strict=True):
        assert cells[0] == row["month"]
        numbers = [cell.replace(",", "") for cell in cells[3:10]]
        names = ("opening", "issued", "corrected", "spent", "taken_back", "expired", "closing")
        assert numbers == [row[name] for name in names]
    assert sum(int(row["closing"]) for row in told) == 5000


def test_an_auditor_searches_the_trail_and_checks_it(desk, take_picture):
    page = desk("support")
    page = desk("auditor")
    page.get_by_role("link", name="Audit log").first.click()
    who = User.objects.get(username__startswith="support").username
    page.fill("#searchbar", who)
    page.keyboard.press("Enter")
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("signed in")
    take_picture(page, "job-auditor-search")
    rows.locator("th a").first.click()
    expect(page.locator("#content")).to_contain_text(who)
    take_picture(page, "job-auditor-event")
    page.goto(page.url_of("console/auditevent/"))
    page.get_by_role("button", name="Check the log").click()
    expect(page.locator(".messagelist")).to_contain_text("as they were written")
    take_picture(page, "job-auditor-checked")


def test_a_partner_manager_makes_a_partner_a_key_and_replaces_it(desk, take_picture):
    page = desk("partner manager")
    page.goto(page.url_of("partners/partner/add/"))
    page.fill("#id_name", "Corner shop")
    page.fill("#id_slug", "corner-shop")
    page.fill("#id_contact_email", "till@example.com")
    save(page)
    page.goto(page.url_of("partners/partnerkey/add/"))
    page.select_option("#id_partner", label="Corner shop")
    page.fill("#id_name", "till 1")
    page.locator("#id_scopes input").first.check()
    take_picture(page, "job-partner-key")
    save(page)
    expect(page.locator("code").nth(1)).to_contain_text("zks_test_")
    take_picture(page, "job-partner-secret")
    page.get_by_role("link", name="Go on to the key").click()
    take_picture(page, "job-partner-key-page")
    page.get_by_role("link", name="Replace by a new key").click()
    page.fill("#id_overlap_hours", "24")
    take_picture(page, "job-partner-replace")
    page.get_by_role("button", name="Replace by a new key").click()
    expect(page.locator("#content")).to_contain_text("works until")
    take_picture(page, "job-partner-replaced")
    page.goto(page.url_of("partners/partnerkey/"))
    expect(page.locator("#result_list")).to_contain_text("open until")
    take_picture(page, "job-partner-keys")
    old, new = PartnerKey.objects.order_by("pk")
    assert (new.ends_at, new.scopes) == (None, old.scopes)
    assert old.ends_at - database_now() > timedelta(hours=23)


def test_the_platform_keeps_an_operator_with_a_role_and_a_wallet(desk, take_picture):
    page = desk("platform")
    page.goto(page.url_of("auth/user/add/"))
    page.fill("#id_username", "lee")
    page.fill("#id_password1", PASSWORD)
    page.fill("#id_password2", PASSWORD)
    take_picture(page, "job-platform-add")
    save(page)
    page.wait_for_selector("#id_groups_from")
    page.select_option("#id_groups_from", label="support")
    page.click("#id_groups_add")
    expect(page.locator("#id_is_staff")).to_be_checked()
    page.locator(".add-row a").click()
    take_picture(page, "job-platform-scope")
    page.wait_for_selector("#id_scope-0-wallets_from")
    page.select_option("#id_scope-0-wallets_from", value="GCASH")
    page.click("#id_scope-0-wallets_add")
    take_picture(page, "job-platform-rights")
    save(page)
    expect(page.locator("#result_list")).to_contain_text("support")
    take_picture(page, "job-platform-list")
    made = User.objects.get(username="lee")
    assert [group.name for group in made.groups.all()] == ["support"]
    assert [wallet.pk for wallet in made.scope.wallets.all()] == ["GCASH"]


def test_an_approver_finds_every_request_and_decides(desk, take_picture):
    waiting = make_benefit(slug="in-review", status=Benefit.Status.IN_REVIEW)
    make_release(waiting, codes=3)
    out = make_benefit(slug="is-out")
    make_release(out, codes=3)
    now = database_now()
    set_rule(benefit=out, tree={}, actor="operator:maker", now=now)
    asked = ask_for_rule(
        benefit=out, tree={"is": "bound", "days": 30}, actor="operator:maker", now=now
    )
    drain_population()
    page = desk("approver")
    take_picture(page, "job-approver-board")
    queue = page.locator("#waiting")
    expect(queue).to_contain_text("Benefits in review")
    queue.get_by_role("link", name="Rules to approve").click()
    page.locator("#result_list tbody th a").first.click()
    take_picture(page, "job-approver-request")
    page.get_by_role("link", name="Approve", exact=True).click()
    page.fill("#id_comment", "Read it.")
    take_picture(page, "job-approver-approve")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator(".messagelist")).to_be_visible()
    take_picture(page, "job-approver-approved")
    page.goto(page.url_of())
    queue = page.locator("#waiting")
    queue.get_by_role("link", name="Benefits in review").click()
    choose(page, "Approve")
    take_picture(page, "job-approver-benefits")
    assert RuleRequest.objects.get(pk=asked.pk).checker
    waiting.refresh_from_db()
    assert waiting.status != Benefit.Status.IN_REVIEW
    page.goto(page.url_of())
    expect(page.locator("#waiting")).to_contain_text("Nothing waits for you.")


def test_a_viewer_sees_and_every_link_shown_opens(desk, take_picture):
    benefit = make_benefit(slug="to-look-at")
    make_release(benefit, codes=3)
    page = desk("viewer")
    take_picture(page, "job-viewer-board")
    closed, seen = [], set()
    places = [""]
    for model in admin.site._registry:
        meta = model._meta
        if model in (Benefit,) or meta.app_label == "core":
            places.append(f"{meta.app_label}/{meta.model_name}/")
    places.append(f"benefits/benefit/{benefit.pk}/change/")
    for place in places:
        page.goto(page.url_of(place))
        take_picture(page, f"job-viewer-{re.sub('[^a-z]+', '-', place) or 'home'}")
        doing = page.locator("input[name=_save], a.addlink, select[name=action]")
        assert [one.inner_text() for one in doing.all() if one.is_visible()] == []
        for link in page.locator("#container a[href]").evaluate_all("all => all.map(a => a.href)"):
            if not isinstance(link, str) or "/console/" not in link or link in seen:
                continue
            seen.add(link)
            if page.request.get(link).status >= 400:
                closed.append((place, link))
    assert len(seen) > 20
    assert closed == []
