"""What has had its time goes, what has not stays."""

from datetime import timedelta

from django.db import connection

from tests.api.caller import Caller, assigned_release
from zone.members.services.partner_members import introduce_member
from zone.partners.models import AccessToken, Event, IdempotencyRecord, PartnerReference, RateWindow
from zone.partners.services.sweeps import sweep_records


def travel(offset: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('zone.clock_offset', %s, true)", [str(offset)])


def granted(caller, alice, partner):
    known = introduce_member(partner=partner, member=alice).public_id
    release = assigned_release(partner, codes=1)
    body = {"member": known, "benefit": release.benefit.public_id, "external_id": "order-1"}
    answer = caller.post("/claims", body, key="k-1")
    assert answer.status_code == 201
    return body, answer


def counts():
    return (
        AccessToken.objects.count(),
        IdempotencyRecord.objects.count(),
        RateWindow.objects.count(),
        Event.objects.count(),
    )


def test_records_live_as_long_as_promised(caller, partner, alice):
    granted(caller, alice, partner)
    assert counts() == (1, 1, 1, 1)
    for offset, expected in [
        (timedelta(minutes=59), (1, 1, 1, 1)),
        (timedelta(hours=2), (1, 1, 0, 1)),
        (timedelta(hours=25), (0, 1, 0, 1)),
        (timedelta(hours=71), (0, 1, 0, 1)),
        (timedelta(hours=73), (0, 0, 0, 1)),
        (timedelta(days=31), (0, 0, 0, 0)),
    ]:
        travel(offset)
        sweep_records()
        assert counts() == expected, offset


def test_after_72_hours_the_reference_still_protects(caller, partner, alice):
    body, first = granted(caller, alice, partner)
    travel(timedelta(hours=73))
    late = Caller.of(partner).post("/claims", body, key="k-1")
    assert (late.status_code, late.json()["id"]) == (200, first.json()["id"])
    assert "Idempotent-Replayed" not in late
    assert PartnerReference.objects.count() == 1
