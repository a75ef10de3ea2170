import re
from datetime import date

import pytest

from credits import ledger
from credits.kinds import Counter
from tests.credits.conftest import rows
from tests.factories import sign_in
from zone.core.ids import uuid7


@pytest.fixture
def signed_in(client, alice):
    sign_in(client, alice)
    return client


def test_a_new_member_reads_how_to_earn(signed_in):
    page = signed_in.get("/credits").content.decode()
    assert "Every App Store purchase with your wallet earns credits." in page
    assert "Nothing here yet" in page


def test_balance_schedule_and_statement(signed_in, alice):
    soon = rows("SELECT (zone_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=1200, until=soon, counter=Counter.WELCOME)
    ledger.earn(
        member_id=alice.pk, op_id=uuid7(), amount=68, related="txn_01M6FS0PG0F99V2DAPGFD392KM"
    )
    ledger.hold(member_id=alice.pk, op_id=uuid7(), amount=300, related="clm_01M6FS0PG0F99V2DAPG")

    page = signed_in.get("/credits").content.decode()

    assert '<p class="balance num" id="balance">968</p>' in page
    assert "300 set aside for a benefit on its way" in page
    assert "900 credits end soon" in page
    for line in ("Welcome gift", "App Store purchase", "Benefit, set aside"):
        assert line in page
    assert page.index("Benefit, set aside") < page.index("Welcome gift")
    assert "+1,200" in page
    assert "\N{MINUS SIGN}300" in page
    assert "Balance 1,268" in page
    assert 'href="/activity/txn_01M6FS0PG0F99V2DAPGFD392KM"' in page


def test_the_filter_shows_one_side(signed_in, alice):
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=68)
    ledger.spend(member_id=alice.pk, op_id=uuid7(), amount=8)
    page = signed_in.get("/credits?show=spent").content.decode()
    assert "\N{MINUS SIGN}8<small>" in page
    assert "+68" not in page


def test_earlier_entries_follow_by_key_and_nothing_is_left_out(signed_in, alice):
    for amount in range(1, 66):
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=amount)
    first = signed_in.get("/credits").content.decode()
    assert "+36<" in first
    assert "+35<" not in first
    above = _next_page(first)

    second = signed_in.get(above, headers={"HX-Request": "true"}).content.decode()

    assert "<html" not in second
    assert "+35<" in second
    assert "+6<" in second
    third = signed_in.get(_next_page(second)).content.decode()
    assert "+5<" in third
    assert "Show earlier" not in third


def _next_page(page):
    [found] = re.findall(r'hx-get="(/credits\?before=cen_[0-9A-Z]{26})"', page)
    return found


@pytest.mark.parametrize("before", ["x", "-1", "0", "cen_1", "clm_" + "0" * 26, "cen_" + "Z" * 26])
def test_a_position_that_is_none_is_not_found(signed_in, before):
    assert signed_in.get("/credits", {"before": before}).status_code == 404


def test_a_frozen_member_is_told(signed_in, alice):
    ledger.freeze(member_id=alice.pk, reason="check", actor="operator:test")
    assert "Your credits are on hold" in signed_in.get("/credits").content.decode()


def test_the_page_is_private_and_closed_to_strangers(client, signed_in):
    assert "no-store" in signed_in.get("/credits")["Cache-Control"]
    signed_in.cookies.clear()
    assert signed_in.get("/credits").status_code == 302


def test_the_page_takes_few_queries(signed_in, alice, django_assert_max_num_queries):
    for until in (date(2027, 3, 1), date(2027, 5, 1)):
        ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=10, until=until)
    with django_assert_max_num_queries(15):
        signed_in.get("/credits")
