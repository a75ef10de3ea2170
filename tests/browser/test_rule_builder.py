"""The rule builder, a trial and a member's view in a real browser: wide and narrow, in two
languages, under the strict policy."""

import pytest
from django.contrib.auth.models import Group
from django_otp.oath import totp

from benefits.models import RuleRequest
from benefits.services.population import drain_population
from benefits.services.rule_requests import ask_for_rule
from tests.benefits.factories import make_benefit, make_release
from tests.benefits.population import settle
from tests.browser.test_console_pages import PASSWORD, operator_of
from tests.factories import bind, enrol_phone, make_member
from zone.core.clock import database_now

pytestmark = pytest.mark.browser
RULE = {
    "all": [
        {"is": "bound", "days": 30},
        {"any": [{"is": "tier", "least": "gold"}, {"is": "purchases", "count": 2, "days": 30}]},
    ]
}
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def console(live_stack, quiet_page):
    stack = live_stack()
    settle(200, seed=51)
    member = make_member()
    bind(member)
    operator = operator_of("editor")
    operator.groups.add(Group.objects.get(name="support"), Group.objects.get(name="approver"))
    device = enrol_phone(operator)
    page = quiet_page
    page.set_viewport_size(WIDE)
    page.goto(f"{stack.url}/console/")
    page.fill("#id_username", operator.username)
    page.fill("#id_password", PASSWORD)
    page.click("button.door-go")
    page.fill("#id_code", f"{totp(device.bin_key):06d}")
    page.click("button.door-go")
    page.wait_for_selector(".board-figures")
    page.stack, page.member = stack, member
    return page


def is_narrow_enough(page):
    return page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def in_chinese(page):
    page.context.add_cookies([{"name": "zone_language", "value": "zh-hans", "url": page.stack.url}])


def test_a_rule_is_built_tried_and_looked_through(console, take_picture):
    page, url = console, console.stack.url
    benefit = make_benefit()
    make_release(benefit, codes=9)
    page.goto(f"{url}/console/benefits/benefit/{benefit.pk}/rule/")
    page.select_option("#r-new", "bound")
    page.click("#r-add")
    page.wait_for_selector("#r-0-days")
    page.fill("#r-0-days", "30")
    page.click("#r-group")
    page.wait_for_selector("#r-1-new")
    page.select_option("#r-1-new", "tier")
    page.click("#r-1-add")
    page.wait_for_selector("#r-1-0-least")
    page.select_option("#r-1-0-least", "gold")
    page.wait_for_selector("#rule-reading >> text=has reached Gold")
    page.click("button[value=count]")
    page.wait_for_selector("#rule-count")
    take_picture(page, "console-rule-1280")
    page.set_viewport_size(NARROW)
    take_picture(page, "console-rule-390")
    assert is_narrow_enough(page)

    request = ask_for_rule(benefit=benefit, tree=RULE, actor="operator:maker", now=database_now())
    drain_population()
    asked = f"{url}/console/benefits/rulerequest/{request.pk}/change/"
    place = f"{url}/console/benefits/benefit/{benefit.pk}"
    member = page.member.public_id
    for language in ("en", "zh"):
        if language == "zh":
            in_chinese(page)
        for size in (WIDE, NARROW):
            page.set_viewport_size(size)
            for name, address in (
                ("request", asked),
                ("rule", f"{place}/rule/"),
                ("why", f"{place}/why/?member={member}"),
                ("preview", f"{place}/preview/?member={member}&width=390"),
                ("ready", f"{place}/ready/"),
                ("segment", f"{url}/console/benefits/segment/add/"),
            ):
                assert page.goto(address).status == 200
                assert ("zh" in page.get_attribute("html", "lang")) == (language == "zh")
                take_picture(page, f"console-{name}-{size['width']}-{language}")
                assert is_narrow_enough(page), (name, size)
    assert RuleRequest.objects.get().state == "open"
