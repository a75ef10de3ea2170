"""Every page of the console in a real browser, under the strict content policy, without one word
of complaint on its console: sign-in, second factor, board, and each table's list and form."""

import pytest
from django.contrib import admin
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, User
from django_otp.oath import totp

from tests.factories import bind, enrol_phone, make_member, make_operator
from zone.console.models import OperatorSession

pytestmark = pytest.mark.browser
PASSWORD = "correct horse battery"


def operator_of(role: str) -> User:
    """An operator whose password the real process knows how to check; tests use a quicker hash."""
    operator = make_operator(role)
    operator.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt-of-this-test")
    operator.save(update_fields=["password"])
    return operator


@pytest.fixture
def console(live_stack, quiet_page):
    """The signed-in console of an operator who may see everything."""
    stack = live_stack()
    member = make_member()
    bind(member)
    operator = operator_of("auditor")
    for role in ("editor", "finance", "platform", "partner manager", "support"):
        operator.groups.add(Group.objects.get(name=role))
    device = enrol_phone(operator)
    page = quiet_page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{stack.url}/console/")
    page.fill("#id_username", operator.username)
    page.fill("#id_password", PASSWORD)
    page.click("button.door-go")
    page.fill("#id_code", f"{totp(device.bin_key):06d}")
    page.click("button.door-go")
    page.wait_for_selector(".board-figures")
    page.stack, page.member = stack, member
    return page


def test_every_page_keeps_the_content_policy(console, take_picture):
    page, url = console, console.stack.url
    take_picture(page, "console-board")
    models = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
    opened = 0
    for model in models:
        listing = f"{url}/console/{model._meta.app_label}/{model._meta.model_name}/"
        answer = page.goto(listing)
        assert answer.status == 200, listing
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        first = page.query_selector("#result_list tbody th a")
        add = page.query_selector(".object-tools a.addlink")
        for link in [each.get_attribute("href") for each in (first, add) if each]:
            answer = page.goto(page.evaluate("path => new URL(path, location).href", link))
            assert answer.status == 200, link
            opened += 1
    assert opened > 5
    page.goto(f"{url}/console/members/{page.member.public_id}/timeline")
    page.wait_for_selector(".timeline li")
    take_picture(page, "console-timeline")


def test_dark_and_light_wear_our_tokens(console, take_picture):
    page = console
    grounds = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(f"{page.stack.url}/console/")
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        take_picture(page, f"console-{scheme}")
    assert grounds == {"light": "rgb(245, 245, 247)", "dark": "rgb(0, 0, 0)"}


def test_enrolment_draws_a_code_and_shows_the_recovery_codes(live_stack, quiet_page, take_picture):
    stack, page = live_stack(), quiet_page
    operator = operator_of("viewer")
    page.goto(f"{stack.url}/console/")
    take_picture(page, "console-sign-in")
    page.fill("#id_username", operator.username)
    page.fill("#id_password", PASSWORD)
    page.click("button.door-go")
    page.wait_for_selector(".door-qr svg")
    take_picture(page, "console-enrol")
    device = operator.totpdevice_set.get()
    page.fill("#id_code", f"{totp(device.bin_key):06d}")
    page.click("button.door-go")
    page.wait_for_selector(".door-codes")

    assert page.locator(".door-codes li").count() == 10
    assert OperatorSession.objects.filter(user=operator, ended_at=None).count() == 1
    page.click("a.door-go")
    page.wait_for_selector(".board-figures, .board-columns")
