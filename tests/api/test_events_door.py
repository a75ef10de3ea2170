"""The event list: in commit order, without gaps, never ahead of what may still come."""

import time

import pytest
from django.db import connection, transaction

from tests.api.caller import Caller, make_partner
from zone.partners.models import Event
from zone.partners.services.events import record_event

SETTLE_SECONDS_MAX = 60


@pytest.fixture
def caller(cloned_database):
    return Caller.of(make_partner("acme"))


def tell(caller, name, **options):
    with transaction.atomic():
        return record_event(
            partner_id=caller.partner.pk,
            livemode=True,
            type="claim.granted",
            data={"object": "claim", "id": name, "status": "granted"},
            **options,
        )


def wait_until_settled() -> None:
    """Events wait for older transactions of the whole server, other tests' included."""
    deadline = time.monotonic() + SETTLE_SECONDS_MAX
    newest = Event.objects.latest("transaction_number").transaction_number
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
            if cursor.fetchone()[0] > newest:
                return
        time.sleep(0.02)
    raise AssertionError("an older transaction did not end in time")


def sequences(caller, **query):
    page = caller.get("/events", query).json()
    return [(row["data"]["object"]["id"], row["sequence"]) for row in page["data"]], page


def test_sequence_rises_by_one_per_object(caller):
    for name in ("clm_a", "clm_b", "clm_a", "clm_a"):
        tell(caller, name)
    wait_until_settled()
    rows, page = sequences(caller)
    assert rows == [("clm_a", 1), ("clm_b", 1), ("clm_a", 2), ("clm_a", 3)]
    assert page["data"][0] == {
        "object": "event",
        "id": Event.objects.earliest("id").public_id,
        "type": "claim.granted",
        "livemode": True,
        "api_version": "2026-11-01",
        "sequence": 1,
        "timestamp": page["data"][0]["timestamp"],
        "data": {
            "object": {"object": "claim", "id": "clm_a", "status": "granted"},
            "previous": {},
        },
    }


def test_catching_up_by_after_and_by_cursor(caller):
    events = [tell(caller, f"clm_{number}") for number in range(5)]
    wait_until_settled()
    rows, page = sequences(caller, limit=2)
    assert [name for name, _ in rows] == ["clm_0", "clm_1"]
    rows, page = sequences(caller, limit=2, cursor=page["next_cursor"])
    assert [name for name, _ in rows] == ["clm_2", "clm_3"]
    rows, page = sequences(caller, after=events[3].public_id)
    assert ([name for name, _ in rows], page["has_more"]) == (["clm_4"], False)
    answer = caller.get("/events", {"after": "evt_" + "0" * 26})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_an_event_waits_for_older_transactions(caller, cloned_database):
    """Otherwise a caller would read past one that commits a moment later, and never see it."""
    with cloned_database.connect(as_owner=True) as slow:
        slow.autocommit = False
        slow.execute("SELECT pg_current_xact_id()")
        tell(caller, "clm_a")
        assert sequences(caller)[0] == []
        slow.commit()
    wait_until_settled()
    assert sequences(caller)[0] == [("clm_a", 1)]


def test_an_undone_change_leaves_no_event(caller):
    with transaction.atomic():
        tell(caller, "clm_a")
        transaction.set_rollback(True)
    assert Event.objects.count() == 0
