from datetime import UTC, datetime

import pytest
from django.template import TemplateDoesNotExist

from zone.notices.models import Notice
from zone.notices.queries import count_unread, list_notices
from zone.notices.services import mark_all_read, mark_read, write_notice


def test_same_key_is_written_once_per_member(alice, bob):
    for facts in ({"title": "first"}, {"title": "second"}):
        write_notice(member_id=alice.pk, kind="claim_granted", facts=facts, dedupe_key="clm_1")
    write_notice(member_id=bob.pk, kind="claim_granted", facts={"title": "b"}, dedupe_key="clm_1")

    assert [n.facts for n in list_notices(alice.pk)] == [{"title": "first"}]
    assert [n.facts for n in list_notices(bob.pk)] == [{"title": "b"}]


def test_notices_without_a_key_are_all_kept(alice):
    for _ in range(2):
        write_notice(member_id=alice.pk, kind="welcome", facts={})

    assert count_unread(alice.pk) == 2


def test_inbox_is_ordered_by_the_moment_a_notice_speaks_of(alice):
    for at, title in [
        (datetime(2026, 3, 1, tzinfo=UTC), "march"),
        (datetime(2026, 1, 1, tzinfo=UTC), "january"),
    ]:
        write_notice(member_id=alice.pk, kind="claim_granted", facts={"title": title}, at=at)

    assert [n.facts["title"] for n in list_notices(alice.pk)] == ["march", "january"]


@pytest.mark.parametrize(
    "link", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "me"]
)
def test_a_link_that_leaves_the_site_is_refused(alice, link):
    with pytest.raises(ValueError, match="not a path of ours"):
        write_notice(member_id=alice.pk, kind="welcome", facts={}, link=link)

    assert not Notice.objects.exists()


def test_a_kind_without_words_is_refused(alice):
    with pytest.raises(TemplateDoesNotExist):
        write_notice(member_id=alice.pk, kind="nothing_of_ours", facts={})

    assert not Notice.objects.exists()


def test_reading_one_keeps_its_first_instant_and_leaves_others(alice, bob):
    write_notice(member_id=alice.pk, kind="welcome", facts={})
    write_notice(member_id=alice.pk, kind="welcome", facts={})
    older = list_notices(alice.pk)[1]

    mark_read(member_id=bob.pk, notice_id=older.id)
    assert count_unread(alice.pk) == 2

    mark_read(member_id=alice.pk, notice_id=older.id)
    first = Notice.objects.get(id=older.id).read_at
    mark_read(member_id=alice.pk, notice_id=older.id)
    assert Notice.objects.get(id=older.id).read_at == first
    assert count_unread(alice.pk) == 1


def test_marking_all_leaves_what_came_later(alice):
    write_notice(member_id=alice.pk, kind="welcome", facts={}, at=datetime(2026, 1, 1, tzinfo=UTC))
    seen = list_notices(alice.pk)[0]
    write_notice(member_id=alice.pk, kind="welcome", facts={}, at=datetime(2026, 1, 2, tzinfo=UTC))

    assert mark_all_read(member_id=alice.pk, up_to=seen.id) == 1
    assert count_unread(alice.pk) == 1
