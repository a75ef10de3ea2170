"""Whoever signs in for the first time is greeted once."""

from zone.core import clock
from zone.members.models import Member
from zone.notices.arrivals import welcome_arrivals
from zone.notices.models import Notice


def test_an_arrival_is_greeted_once(alice, bob):
    Member.objects.filter(pk=alice.pk).update(first_signed_in_at=clock.now())
    assert welcome_arrivals() == 1
    assert welcome_arrivals() == 0
    notice = Notice.objects.get()
    assert (notice.member_id, notice.kind, notice.link) == (alice.pk, "welcome", "/benefits")
    bob.refresh_from_db()
    assert bob.welcomed_at is None  # Known from a list, never here.
