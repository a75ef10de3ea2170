"""The event list: in commit order, without gaps, never ahead of what may still come."""

import pytest
from django.db import transaction

from tests.api.caller import Caller, make_partner
from zone.partners.models import Event
from zone.partners.services.events import record_event


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


def sequences(caller, **query):
    page = caller.get("/events", query).json()
    return [(row["data"]["object"]["id"], row["sequence"]) for row in page["data"]], page


def test_sequence_rises_by_one_per_object(caller):
    for name in ("clm_a", "clm_b", "clm_a", "clm_a"):
        tell(caller, name)
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
    assert sequences(caller)[0] == [("clm_a", 1)]


def test_an_undone_change_leaves_no_event(caller):
    with transaction.atomic():
        tell(caller, "clm_a")
        transaction.set_rollback(True)
    assert Event.objects.count() == 0
