"""One member's timeline: every room's rows, newest first, masked, page by page."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_operator, sign_in_operator
from zone.console.models import AuditEvent
from zone.console.timeline import SOURCES, decode_cursor, read_page
from zone.history.services.ingest import ingest_bill, ingest_refund
from zone.members.services.identities import find_user_id
from zone.notices.services import write_notice

pytestmark = pytest.mark.django_db
START = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)


def charge(member, number: int, at: datetime) -> None:
    receipt = ingest_bill(
        wallet_code="ALIPAY_CN",
        body={
            "userId": find_user_id(member),
            "billNo": f"T{number:06d}",
            "merchantName": "APPLE.COM/BILL",
            "orderAmount": {"currency": "CNY", "value": "600"},
            "payTime": at.isoformat(),
            "pointsProvider": "ALIPAYCN",
        },
    )
    assert receipt.outcome.value == "stored"


def titles(page) -> list[str]:
    return [line.moment.title for line in page.lines]


def test_moments_of_all_rooms_come_newest_first(alice):
    charge(alice, 1, START)
    ingest_refund(
        wallet_code="ALIPAY_CN",
        body={
            "userId": find_user_id(alice),
            "relateBillNo": "T000001",
            "refundAmount": {"currency": "CNY", "value": "600"},
            "refundTime": (START + timedelta(hours=1)).isoformat(),
            "pointsProvider": "ALIPAYCN",
        },
    )
    write_notice(member_id=alice.pk, kind="welcome", facts={}, at=START + timedelta(hours=2))

    page = read_page(SOURCES, alice.pk, after=None)

    shown = titles(page)
    assert shown[-3:] == ["Refund: applied", "APPLE.COM/BILL", "Bound to Apple"]
    assert "Notice: welcome" in shown
    moments = [line.moment.at for line in page.lines]
    assert moments == sorted(moments, reverse=True)
    assert page.next_cursor == ""


def test_pages_meet_without_a_gap_or_a_repeat_even_within_one_instant(alice):
    for number in range(23):
        charge(alice, number, START + timedelta(days=number // 6))
    whole = read_page(SOURCES, alice.pk, after=None, size=100)

    parts, cursor = [], ""
    while True:
        page = read_page(SOURCES, alice.pk, after=decode_cursor(cursor), size=5)
        parts += [line.moment for line in page.lines]
        cursor = page.next_cursor
        if not cursor:
            break

    assert parts == [line.moment for line in whole.lines]
    assert len({moment.detail for moment in parts if moment.title == "APPLE.COM/BILL"}) == 23


@pytest.mark.parametrize("cursor", ["nonsense", "e30", "W10", "Ww", "%00"])
def test_a_cursor_that_is_none_of_ours_shows_the_first_page(client, alice, cursor):
    sign_in_operator(client, make_operator("support"))

    page = client.get(f"/console/members/{alice.public_id}/timeline", {"after": cursor})

    assert page.status_code == 200


def test_a_page_reads_each_table_once(alice):
    for number in range(8):
        charge(alice, number, START + timedelta(hours=number))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        read_page(SOURCES, alice.pk, after=None)

    # One for each source, and one more for the lines of the charges and the steps of the tries.
    assert len(SOURCES) <= len(queries) <= len(SOURCES) + 2


@pytest.mark.parametrize(("role", "status"), [("support", 200), ("auditor", 200), ("editor", 403)])
def test_who_may_read_a_timeline(client, alice, role, status):
    sign_in_operator(client, make_operator(role))

    assert client.get(f"/console/members/{alice.public_id}/timeline").status_code == status


def test_the_wallet_id_is_masked_until_a_reason_is_given(client, alice):
    operator = make_operator("support")
    sign_in_operator(client, operator)
    secret = find_user_id(alice).encode()
    page = client.get(f"/console/members/{alice.public_id}/timeline")
    assert secret not in page.content
    assert f"••••{secret[-4:].decode()}" in page.content.decode()

    refused = client.post(f"/console/members/{alice.public_id}/unmask", {"reason": "  why  "})
    shown = client.post(
        f"/console/members/{alice.public_id}/unmask", {"reason": "Ticket 4711: wrong charge"}
    )

    assert secret not in refused.content
    assert secret in shown.content
    assert shown["Cache-Control"] == "no-store, private"
    event = AuditEvent.objects.get(action="member.unmasked")
    assert (event.object_id, event.reason) == (str(alice.pk), "Ticket 4711: wrong charge")
    assert event.actor == f"operator:{operator.username}"
    assert secret not in client.get(f"/console/members/{alice.public_id}/timeline").content


def test_unmasking_needs_a_fresh_code_and_the_right(client, alice, settings):
    address = f"/console/members/{alice.public_id}/unmask"
    sign_in_operator(client, make_operator("auditor"))
    assert client.post(address, {"reason": "a good reason"}).status_code == 403
    client.logout()
    sign_in_operator(client, make_operator("support"))
    settings.ZONE_CLOCK_OFFSET_SECONDS = 6 * 60

    answer = client.post(address, {"reason": "a good reason"})

    assert answer["Location"].startswith("/console/step-up?next=")
    assert not AuditEvent.objects.filter(action="member.unmasked").exists()


def test_the_eleventh_look_within_an_hour_is_refused(client, alice):
    sign_in_operator(client, make_operator("support"))
    address = f"/console/members/{alice.public_id}/unmask"
    secret = find_user_id(alice).encode()
    for _look in range(10):
        assert secret in client.post(address, {"reason": "a good reason"}).content

    page = client.post(address, {"reason": "a good reason"})

    assert secret not in page.content
    assert AuditEvent.objects.filter(action="member.unmasked").count() == 10
