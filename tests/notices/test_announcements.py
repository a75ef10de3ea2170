"""Announcements reach whom they are for, once, and stop where a consent was taken back."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from tests.factories import make_member, make_operator, sign_in, sign_in_operator
from tests.threads import together
from zone.core.clock import database_now
from zone.members.models import Member
from zone.members.services.consents import give_consents, withdraw_consent
from zone.notices import announcing
from zone.notices.announcing import send_announcement, send_announcements, stop_announcement
from zone.notices.models import Announcement, Notice


def make_announcement(**facts):
    values = {
        "titles": {"en": "New in November", "zh-hans": "十一月上新"},
        "bodies": {"en": "Have a look", "zh-hans": "来看看"},
        "publish_at": database_now(),
    }
    return Announcement.objects.create(**{**values, **facts})


def arrived(agrees, **facts):
    member = make_member(**facts)
    Member.objects.filter(pk=member.pk).update(first_signed_in_at=database_now())
    if agrees:
        agree(member)
    return member


def agree(member):
    give_consents(
        member=member, purposes=["marketing"], language="en", evidence={}, now=database_now()
    )


def told():
    return set(Notice.objects.values_list("member_id", flat=True))


def send(announcement, **how):
    assert send_announcement(announcement=announcement, actor="operator:x")
    while send_announcements(**how):
        pass
    announcement.refresh_from_db()


def test_advertising_goes_to_those_who_agreed(db):
    yes, no = arrived(True), arrived(False)
    row = make_announcement()
    send(row, limit=1)
    assert told() == {yes.pk}
    assert (row.state, row.told_count) == ("sent", 1)
    assert no.pk not in told()


def test_who_takes_the_consent_back_is_not_told_from_then_on(client, db):
    member = arrived(True)
    first, second = make_announcement(), make_announcement()
    send(first)
    sign_in(client, member)
    client.post("/me/privacy/consent", {"purpose": "marketing", "wanted": "no"})
    send(second)
    assert Notice.objects.filter(member=member).count() == 1


def test_a_consent_taken_back_between_two_batches_counts(db):
    members = [arrived(True) for _number in range(2)]
    row = make_announcement()
    send_announcement(announcement=row, actor="x")
    send_announcements(limit=1)
    withdraw_consent(member=members[1], purpose="marketing", now=database_now())
    while send_announcements(limit=1):
        pass
    assert told() == {members[0].pk}


def test_what_is_about_the_service_goes_to_everybody_of_its_wallet(db):
    here, there = arrived(False), arrived(False, wallet="ALIPAY_HK")
    send(make_announcement(purpose="service", wallet_id="ALIPAY_CN"))
    assert told() == {here.pk}
    assert there.pk not in told()


def test_it_waits_for_its_hour_and_stops_when_told(db):
    arrived(True)
    row = make_announcement(publish_at=database_now() + timedelta(hours=1))
    send_announcement(announcement=row, actor="x")
    assert send_announcements() == 0
    assert stop_announcement(announcement=row)
    Announcement.objects.update(publish_at=database_now())
    assert send_announcements() == 0
    assert not stop_announcement(announcement=row)
    assert told() == set()


def test_the_inbox_reads_it_in_the_readers_language(client, db):
    member = arrived(True, language="zh-hans")
    send(make_announcement())
    sign_in(client, member)
    page = client.get("/inbox").content.decode()
    assert "十一月上新" in page
    assert "来看看" in page


def test_a_draft_needs_english_and_a_path_of_ours(db):
    for facts in ({"titles": {"zh-hans": "x"}}, {"link": "https://evil.example"}, {"bodies": {}}):
        with pytest.raises(ValidationError):
            make_announcement(**facts).full_clean()


def test_two_workers_tell_everybody_once(cloned_database):
    members = {arrived(True).pk for _number in range(6)}
    row = make_announcement()
    send_announcement(announcement=row, actor="x")

    def drain():
        while announcing.send_announcements(limit=2):
            pass

    together([drain] * 3)
    while announcing.send_announcements(limit=2):
        pass
    row.refresh_from_db()
    assert told() == members
    assert (Notice.objects.count(), row.told_count, row.state) == (6, 6, "sent")


def test_an_editor_writes_and_an_approver_sends(client, db):
    member = arrived(True)
    sign_in_operator(client, make_operator("editor"))
    day = database_now() - timedelta(minutes=1)
    answer = client.post(
        "/console/notices/announcement/add/",
        {
            "titles_0": "Hello", "bodies_0": "World", "titles_1": "你好", "link": "/benefits",
            "purpose": "marketing", "wallet": "",
            "publish_at_0": day.strftime("%Y-%m-%d"), "publish_at_1": day.strftime("%H:%M:%S"),
        },
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()[:3000]
    row = Announcement.objects.get()
    assert (row.titles, row.bodies) == ({"en": "Hello", "zh-hans": "你好"}, {"en": "World"})
    press = {"action": "send", "_selected_action": [row.pk]}
    client.post("/console/notices/announcement/", press)
    row.refresh_from_db()
    assert row.state == "draft"
    client.logout()
    sign_in_operator(client, make_operator("approver"))
    client.post("/console/notices/announcement/", press)
    while send_announcements():
        pass
    assert told() == {member.pk}
