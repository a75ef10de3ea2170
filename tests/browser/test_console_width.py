"""The console at 1280 by 800 with real rows in it: no list is wider than the window or its box."""

from io import StringIO

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django_otp.oath import totp

from tests.browser.test_console_pages import PASSWORD, operator_of
from tests.factories import enrol_phone

pytestmark = [pytest.mark.browser, pytest.mark.slow]
WIDTH, HEIGHT = 1280, 800
MEASURE = """() => {
    const box = document.querySelector(".results");
    return {
        page: document.documentElement.scrollWidth,
        table: box ? box.scrollWidth - box.clientWidth : 0,
        rows: document.querySelectorAll("#result_list tbody tr").length,
    };
}"""


def test_no_list_is_wider_than_the_window(live_stack, quiet_page, settings, tmp_path, take_picture):
    settings.ZONE_DATA = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    call_command("seed_zone", scale=0.02, stdout=StringIO())
    operator = operator_of("auditor")
    for role in ("editor", "finance", "platform", "partner manager", "support"):
        operator.groups.add(Group.objects.get(name=role))
    device, page, stack = enrol_phone(operator), quiet_page, live_stack()
    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    page.goto(f"{stack.url}/console/")
    page.fill("#id_username", operator.username)
    page.fill("#id_password", PASSWORD)
    page.click("button.door-go")
    page.fill("#id_code", f"{totp(device.bin_key):06d}")
    page.click("button.door-go")
    page.wait_for_selector(".board-figures")

    wide, filled = [], 0
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label_lower):
        listing = f"console/{model._meta.app_label}/{model._meta.model_name}/"
        page.goto(f"{stack.url}/{listing}")
        found = page.evaluate(MEASURE)
        filled += found["rows"] > 0
        if found["page"] > WIDTH or found["table"] > 0:
            wide.append((listing, found))
            take_picture(page, f"wide-{model._meta.model_name}")
    assert filled > 25
    assert wide == []
