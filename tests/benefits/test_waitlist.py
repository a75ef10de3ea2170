"""The line of a sold-out release: who is offered what, and that nobody else can take it."""

import pytest
from django.db import connection

from benefits import errors
from benefits.models import ReturnedSlot, WaitlistEntry
from benefits.services.returns import return_claim
from benefits.services.stock import change_stock
from benefits.services.waitlist import join_waitlist, leave_waitlist, tend_lines
from tests.benefits.factories import claim, make_benefit, make_provider, make_release
from tests.factories import bind, make_member, sign_in
from tests.races.test_claim_races import books, make_members, tally
from tests.threads import together
from zone.core.clock import database_now


def people(number):
    members = [make_member() for _ in range(number)]
    for member in members:
        bind(member)
    return members


def join(member, release):
    join_waitlist(member=member, release=release, now=database_now())


def give_back(held):
    return_claim(claim=held, now=database_now(), actor="operator:test")


def offered(release):
    return list(ReturnedSlot.objects.filter(release=release).values_list("offered_to", flat=True))


@pytest.fixture
def line(db):
    """One code, claimed by the first; second and third wait, the fourth does not."""
    release = make_release(make_benefit(), codes=1)
    first, second, third, outsider = people(4)
    held = claim(first, release)
    join(second, release)
    join(third, release)
    return release, held, second, third, outsider


def test_a_returned_slot_goes_down_the_line_and_to_nobody_else(line):
    release, held, second, third, outsider = line
    give_back(held)
    assert offered(release) == [second.pk]
    for other in (outsider, third):
        with pytest.raises(errors.SoldOut):
            claim(other, release)
    assert leave_waitlist(member=second, release=release, now=database_now())
    assert offered(release) == [third.pk]
    with pytest.raises(errors.SoldOut):
        claim(second, release)
    assert claim(third, release).slot == 1
    states = WaitlistEntry.objects.order_by("id").values_list("state", flat=True)
    assert list(states) == ["declined", "claimed"]


def test_an_offer_ends_with_its_time_and_passes_on(line):
    release, held, second, third, _ = line
    give_back(held)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('zone.clock_offset', '121 minutes', false)")
        try:
            with pytest.raises(errors.SoldOut):
                claim(second, release)
            assert tend_lines() == 1
            assert offered(release) == [third.pk]
            assert third.notices.filter(kind="waitlist_offer").count() == 1
            assert tend_lines() == 0
            assert third.notices.filter(kind="waitlist_offer").count() == 1
        finally:
            cursor.execute("SELECT set_config('zone.clock_offset', '', false)")


def test_whoever_waits_comes_before_a_raised_stock(db):
    benefit = make_benefit()
    release = make_release(benefit, stock=1, provider=make_provider())
    first, second, outsider = people(3)
    claim(first, release)
    join(second, release)
    change_stock(release=release, expected=1, target=2, actor="operator:test", now=database_now())
    assert offered(release) == [second.pk]
    with pytest.raises(errors.SoldOut):
        claim(outsider, release)
    assert claim(second, release).slot == 2


def test_nobody_waits_beside_a_free_slot(line):
    release, held, second, third, outsider = line
    for member in (second, third):
        leave_waitlist(member=member, release=release, now=database_now())
    give_back(held)
    with pytest.raises(errors.StillInStock):
        join(outsider, release)
    assert not outsider.waitlist_entries.exists()


def test_the_page_offers_a_place_and_then_the_benefit(line, client):
    release, held, second, _third, outsider = line
    sign_in(client, outsider)
    page = f"/benefits/{release.benefit.slug}"
    assert "Wait in line" in client.get(page).content.decode()
    client.post(f"{page}/wait", {"release": release.public_id})
    assert "You are among the first 10." in client.get(page).content.decode()
    client.post(f"{page}/wait/leave", {"release": release.public_id})
    assert outsider.waitlist_entries.get().state == "left"
    give_back(held)
    sign_in(client, second)
    said = client.get(page)
    assert said.context["card"].state == "claimable"
    assert "It is your turn" in said.content.decode()


def test_many_reach_for_one_offered_slot(cloned_database):
    release = make_release(make_benefit(), codes=1)
    first, second, *outsiders = make_members(20)
    held = claim(first, release)
    join(second, release)
    jobs = [lambda m=m: claim(m, release) for m in (*outsiders, second)]
    answers = together([lambda: give_back(held), *jobs])
    taken = [a for a in answers if type(a).__name__ == "Claim"]
    if not taken:  # Everybody was faster than the return.
        taken = [claim(second, release)]
    assert {a.member_id for a in taken} == {second.pk}
    assert tally(answers).get("SoldOut", 0) >= len(outsiders)
    code, report = books(cloned_database)
    assert code == 0, report
