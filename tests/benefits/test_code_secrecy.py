"""No code in clear on any page of the console, in any download of it, or in any line of the log."""

import logging
import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from benefits.models import Code
from benefits.services import bulk, code_imports
from benefits.services.code_reports import report_code
from benefits.services.endings import revoke_claim
from benefits.services.pools import open_code
from benefits.services.redemptions import redeem_claim
from tests.benefits.factories import claim, load_codes, make_benefit, make_release
from tests.benefits.gifting import accept, open_, send
from tests.benefits.test_code_imports import FAULTS, file_of, stage
from tests.factories import bind, make_member, make_operator, sign_in, sign_in_operator
from zone.console.roles import ROLES
from zone.console.services.groups import setup_groups
from zone.core.clock import database_now

pytestmark = pytest.mark.django_db
ROWS_MAX = 4


class Heard(logging.Handler):
    """Everything that was logged, as the log would show it: words and facts."""

    def __init__(self):
        super().__init__(level=logging.DEBUG)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.getMessage()} {vars(record)}")


@pytest.fixture
def heard():
    handler, root = Heard(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler.lines
    root.removeHandler(handler)
    root.setLevel(level)


def all_roles(client):
    """Somebody who may read whatever anybody may."""
    setup_groups()
    operator = make_operator("auditor")
    operator.groups.add(*Group.objects.filter(name__in=ROLES))
    sign_in_operator(client, operator)


def live(client, alice, bob):
    """Codes that were loaded, refused, seen, used, reported, given away, taken away and granted in bulk."""
    who = {"actor": "operator:x"}
    release = make_release(make_benefit(per_member=9), codes=9)
    load_codes(release, 1)
    stage(make_release(make_benefit(), mode="codes"), file_of(60, faults=FAULTS[:1]))
    while code_imports.drain_imports():
        pass
    seen, used, lost, gone, given = (claim(alice, release) for _ in range(5))
    sign_in(client, alice)
    for made in (seen, used, lost):
        page = client.post(f"/me/benefits/{made.public_id}/reveal", follow=True)
        assert page.status_code == 200
        made.refresh_from_db()
    redeem_claim(claim=used, now=database_now(), **who)
    report_code(claim=lost, reason="invalid", actor=f"member:{alice.public_id}", now=database_now())
    revoke_claim(claim=gone, reason="fraud", now=database_now(), **who)
    accept(open_(send(given), bob), bob)
    other = make_member()
    bind(other)
    bulk.start_grants(
        release=release, lines=bulk.read_lines(f"member\n{other.public_id}\n".encode()),
        source="a.csv", now=database_now(), **who,
    )  # fmt: skip
    bulk.drain_bulk()


def pages_of(client):
    """Every list of the console, rows of each, and every download that they offer."""
    for model in sorted(admin.site._registry, key=lambda model: model._meta.label_lower):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listing = client.get(reverse(f"{name}_changelist"))
        if listing.status_code != 200:
            continue
        yield listing
        for row in model._default_manager.all()[:ROWS_MAX]:
            page = client.get(reverse(f"{name}_change", args=[row.pk]))
            yield page
            if page.status_code == 200:
                for link in re.findall(r'href="(/console/[^"]+\.csv)"', page.content.decode()):
                    yield client.get(link)


def text_of(answer):
    parts = answer.streaming_content if answer.streaming else [answer.content]
    return b"".join(parts).decode()


def test_no_page_download_or_log_has_a_code_in_it(client, alice, bob, heard):
    live(client, alice, bob)
    codes = [open_code(code).code for code in Code.objects.select_related("batch")]
    assert len(codes) > 60
    secret = re.compile("|".join([*codes, r"BULK\d{8}"]))
    all_roles(client)
    read = downloads = 0
    for answer in pages_of(client):
        read += 1
        downloads += "csv" in answer["Content-Type"]
        found = secret.search(text_of(answer))
        assert found is None, (answer.request["PATH_INFO"], found)
    assert (read > 120, downloads > 1) == (True, True), (read, downloads)
    timeline = client.get(reverse("admin:member_timeline", args=[alice.public_id]))
    assert timeline.status_code == 200
    assert secret.search(text_of(timeline)) is None
    assert len(heard) > 50
    assert [line for line in heard if secret.search(line)] == []


def test_control_a_code_that_is_logged_is_found(heard):
    """The ear hears what is said in facts as well as in words."""
    logging.getLogger("benefits.anything").info("revealed", extra={"code": "BULK00000007"})
    assert any("BULK00000007" in line for line in heard)
