"""One tap a day: its credits, its streak, its page."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from credits import errors, ledger
from credits.kinds import Counter, Kind
from credits.models import CheckIn, CheckInTrack, Streak
from credits.queries import get_balance, list_entries
from credits.services.check_ins import check_in
from tests.credits.conftest import standing, travel
from tests.factories import sign_in

DAY = timedelta(days=1)


@pytest.fixture
def phone(client, alice):
    sign_in(client, alice)
    return client


def check_in_days(member, days):
    """Taps at a quarter to one in the afternoon at home: soon after midnight another rule holds."""
    home = datetime.now(tz=UTC).astimezone(ZoneInfo(member.wallet.time_zone))
    lunch = home.replace(hour=12, minute=45)
    first = lunch if lunch > home else lunch + DAY
    done = []
    for day in days:
        with travel(first - home + DAY * day):
            done.append(check_in(member=member))
    return done


def test_a_tap_earns_what_its_day_gives_and_a_second_nothing(alice):
    first = check_in(member=alice)
    again = check_in(member=alice)

    assert (first.is_first, first.credits, first.streak) == (True, 10, 1)
    assert (again.is_first, again.credits, again.streak) == (False, 0, 1)
    [line] = list_entries(alice)
    row = CheckIn.objects.get(member=alice)
    assert (line.kind, line.amount, line.counter) == (Kind.EARN, 10, Counter.CHECK_IN)
    assert (row.op_id, row.credits, row.how) == (line.op_id, 10, "tap")
    assert get_balance(alice).available == 10


def test_the_seventh_day_gives_more_and_a_shield(alice):
    done = check_in_days(alice, range(7))
    assert [each.credits for each in done] == [10, 10, 10, 10, 10, 10, 50]
    assert done[-1].has_new_shield
    assert get_balance(alice).available == 110
    assert check_in_days(alice, [7])[0].credits == 10  # The track begins again.


def test_a_shield_saves_a_missed_day_and_leaves_a_row(alice):
    check_in_days(alice, range(7))

    [back] = check_in_days(alice, [8])

    assert (back.streak, back.shields_used, back.shields) == (9, 1, 0)
    saved = CheckIn.objects.get(member=alice, how="shield")
    assert (saved.streak, saved.credits, saved.op_id) == (8, 0, None)
    assert get_balance(alice).available == 120


def test_without_a_shield_a_missed_day_begins_anew(alice):
    done = check_in_days(alice, [0, 1, 4])
    assert [each.streak for each in done] == [1, 2, 1]
    assert done[-1].has_restarted
    assert Streak.objects.get(member=alice).longest == 2


@pytest.mark.parametrize(
    ("label", "refusal"),
    [
        ("not bound", errors.BindingNeeded),
        ("frozen", errors.MemberFrozen),
        ("no track", errors.CheckInClosed),
        ("closed", errors.AccountClosed),
    ],
)
def test_a_refusal_changes_nothing(alice, carol, label, refusal):
    member = carol if label == "not bound" else alice
    if label == "frozen":
        ledger.freeze(member_id=alice.pk, reason="check", actor="operator:test")
    if label == "closed":
        ledger.close(member_id=alice.pk, reason="left", actor="operator:test")
    if label == "no track":
        CheckInTrack.objects.update(is_active=False)
    before = standing(member.pk)

    with pytest.raises(refusal):
        check_in(member=member)

    assert standing(member.pk) == before
    assert not CheckIn.objects.filter(member=member).exists()


def test_home_shows_the_track_and_one_post_counts(phone, alice):
    page = phone.get("/").content.decode()
    assert "Start a streak" in page
    assert "Check in +10" in page

    answer = phone.post("/check-in")

    assert (answer.status_code, answer["Location"]) == (302, "/")
    page = phone.get("/").content.decode()
    assert "Checked in, +10 credits." in page
    assert "1-day streak" in page
    assert "Come back tomorrow" in page
    assert '<p class="balance num" id="balance">10</p>' in page


def test_htmx_gets_panel_balance_and_toast(phone, alice):
    answer = phone.post("/check-in", headers={"HX-Request": "true"})
    panel = answer.content.decode()
    assert "<html" not in panel
    assert 'id="balance" hx-swap-oob="true">10<' in panel
    assert "Checked in, +10 credits." in panel

    again = phone.post("/check-in", headers={"HX-Request": "true"}).content.decode()

    assert "You have checked in today. Come back tomorrow." in again
    assert get_balance(alice).available == 10


def test_a_frozen_member_reads_on_and_is_told_whom_to_ask(phone, alice):
    ledger.freeze(member_id=alice.pk, reason="check", actor="operator:test")
    assert phone.get("/").status_code == 200
    panel = phone.post("/check-in", headers={"HX-Request": "true"}).content.decode()
    assert "Please contact support." in panel
    assert get_balance(alice).available == 0


def test_the_door_is_closed_to_strangers_and_to_reading(phone):
    opened_by_hand = phone.get("/check-in")
    assert (opened_by_hand.status_code, opened_by_hand["Allow"]) == (405, "POST")
    assert "This address only works from its button." in opened_by_hand.content.decode()
    phone.cookies.clear()
    assert phone.post("/check-in").status_code == 302
    assert CheckIn.objects.count() == 0
