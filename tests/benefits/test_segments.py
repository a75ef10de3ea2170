"""Segments: lists filled by hand, and live ones that follow their rule with one event each way."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from benefits import rule_errors
from benefits.models import (
    MemberTag,
    MemberTouch,
    PopulationRun,
    Segment,
    SegmentEvent,
    SegmentMember,
)
from benefits.services.live_segments import drain_segments, walk_again
from benefits.services.population import drain_population
from benefits.services.segments import (
    add_members,
    remove_members,
    replace_members,
    set_segment_rule,
)
from credits import ledger
from credits.services.tiers import refresh_tiers
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.population import settle
from tests.benefits.test_rules import buy, subscribe
from tests.factories import bind, make_member, make_operator, sign_in_operator
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Charge
from zone.members.models import Binding, Member
from zone.members.services.sessions import open_session

pytestmark = pytest.mark.django_db
ACTOR = "operator:x"


def make_list(code="vip"):
    return Segment.objects.create(code=code, name=code)


def make_live(tree, code="live"):
    segment = Segment.objects.create(code=code, name=code, kind="live")
    return set_segment_rule(segment=segment, tree=tree, now=database_now())


def settle_down():
    while drain_segments():
        pass


def inside(segment):
    return set(SegmentMember.objects.filter(segment=segment).values_list("member_id", flat=True))


def story(segment, member):
    rows = SegmentEvent.objects.filter(segment=segment, member=member).order_by("id")
    return list(rows.values_list("kind", flat=True))


def fill(how, segment, members):
    ids = [member if isinstance(member, str) else member.public_id for member in members]
    return how(segment=segment, public_ids=ids, actor=ACTOR, now=database_now())


def test_a_list_is_added_to_removed_from_and_replaced(alice, bob, carol):
    segment = make_list()
    report = fill(add_members, segment, [alice, bob, alice, "mbr_nobody"])
    assert (report.added, report.known, report.missing) == (2, 0, ["mbr_nobody"])
    assert fill(add_members, segment, [alice]).known == 1
    assert fill(remove_members, segment, [alice, carol]).removed == 1
    report = fill(replace_members, segment, [carol])
    assert (report.added, report.removed) == (1, 1)
    assert inside(segment) == {carol.pk}
    assert story(segment, alice) == ["entered", "left"]
    assert story(segment, bob) == ["entered", "left"]
    assert story(segment, carol) == ["entered"]


def test_events_are_written_once_and_for_good(alice):
    segment = make_list()
    fill(add_members, segment, [alice])
    with pytest.raises(DatabaseError), transaction.atomic():
        SegmentEvent.objects.update(cause="another")


def test_a_new_live_segment_takes_in_everybody_who_fits(db):
    members = settle(1200, seed=21)
    segment = make_live({"is": "bound", "days": 30})
    assert segment.built_at is None
    settle_down()
    segment.refresh_from_db()
    assert (segment.built_at is not None, segment.walked_to) == (True, None)
    since = database_now() - timedelta(days=30)
    bound = Binding.objects.filter(member__in=members, bound_at__lte=since)
    assert inside(segment) == set(bound.values_list("member_id", flat=True))
    assert len(inside(segment)) > 100
    assert SegmentEvent.objects.count() == len(inside(segment))


def happened(kind, member):
    """Something happens to a member, by whatever road; the rule that waits for it."""
    now = database_now()
    match kind:
        case "purchases":
            buy(member, at=now)
            return {"is": "purchases", "count": 1, "days": 30}
        case "subscriptions":
            subscribe(member, "apple_music", now=now)
            return {"is": "subscription", "service": "apple_music", "state": "open"}
        case "claims":
            bind(member)
            claim(member, make_release(make_benefit(), codes=1))
            return {"is": "claims", "least": 1}
        case "tier":
            ledger.earn(member_id=member.pk, op_id=uuid7(), amount=2000)
            refresh_tiers([member.pk])
            return {"is": "tier", "least": "gold"}
        case "binding":
            bind(member, at=now)
            return {"is": "bound", "days": 0}
        case "language":
            Member.objects.filter(pk=member.pk).update(language="zh-hans")
            return {"is": "language", "of": ["zh-hans"]}
        case "devices":
            open_session(member=member, now=now, device="iPhone")
            open_session(member=member, now=now, device="iPad")
            return {"any": [{"is": "devices", "most": 1, "days": 30}]}
        case "tag":
            MemberTag.objects.create(member=member, tag="founder", added_by=ACTOR, added_at=now)
            return {"is": "tag", "of": "founder"}
        case "list":
            fill(add_members, Segment.objects.get(code="vip"), [member])
            return {"is": "segment", "of": "vip"}
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "purchases",
        "subscriptions",
        "claims",
        "tier",
        "binding",
        "language",
        "devices",
        "tag",
        "list",
    ],
)
def test_whatever_happens_to_a_member_is_seen_and_told_once(kind, carol):
    make_list()
    rehearsal = make_member()
    rule = happened(kind, rehearsal)
    segment = make_live(rule)
    settle_down()
    told_before = ["entered"] if kind == "devices" else []
    assert story(segment, carol) == told_before
    happened(kind, carol)
    assert MemberTouch.objects.exists()
    settle_down()
    assert not MemberTouch.objects.exists()
    assert story(segment, carol) == (["entered", "left"] if told_before else ["entered"])
    MemberTouch.objects.create(member_id=carol.pk, source="member")
    settle_down()
    assert len(story(segment, carol)) == len(told_before) + 1, "a second look tells nothing"


def test_a_change_nobody_looks_at_leaves_no_trace(alice, carol):
    make_live({"is": "adult"})
    settle_down()
    buy(alice, at=database_now())
    assert not MemberTouch.objects.exists()


def test_without_live_segments_nothing_is_noted(alice):
    make_list()
    buy(alice, at=database_now())
    Member.objects.filter(pk=alice.pk).update(language="zh-hans")
    assert not MemberTouch.objects.exists()


@pytest.fixture
def travel():
    with connection.cursor() as cursor:
        yield lambda offset: cursor.execute(
            "SELECT set_config('zone.clock_offset', %s, false)", [offset]
        )
        cursor.execute("SELECT set_config('zone.clock_offset', '', false)")


def test_time_alone_lets_in_and_out(carol, travel):
    now = database_now()
    bind(carol, at=now - timedelta(days=20))
    buy(carol, at=now - timedelta(days=1))
    grown = make_live({"is": "bound", "days": 30}, "grown")
    fresh = make_live({"is": "purchases", "count": 1, "days": 7}, "fresh")
    settle_down()
    assert (story(grown, carol), story(fresh, carol)) == ([], ["entered"])
    travel("9 days 23 hours")
    settle_down()
    assert (story(grown, carol), story(fresh, carol)) == ([], ["entered", "left"])
    travel("10 days 1 minute")
    settle_down()
    assert story(grown, carol) == ["entered"]


def test_a_refunded_purchase_and_a_suspended_member_are_out(carol):
    bought = buy(carol, at=database_now())
    segment = make_live({"is": "purchases", "count": 1, "days": 7})
    settle_down()
    Charge.objects.filter(pk=bought.pk).update(refunded=bought.amount)
    settle_down()
    assert story(segment, carol) == ["entered", "left"]
    other = make_live({"is": "adult"}, "adults")
    settle_down()
    Member.objects.filter(pk=carol.pk).update(status="suspended")
    settle_down()
    assert story(other, carol) == ["entered", "left"]


def test_a_changed_rule_is_followed_by_everybody(alice, carol):
    segment = make_live({"is": "bound", "days": 0})
    settle_down()
    assert inside(segment) == {alice.pk}
    set_segment_rule(segment=segment, tree={"is": "adult"}, now=database_now())
    settle_down()
    assert inside(segment) == {alice.pk, carol.pk}
    assert story(segment, alice) == ["entered"]


def test_a_night_walk_finds_what_slipped_past(alice):
    segment = make_live({"is": "bound", "days": 0})
    settle_down()
    SegmentMember.objects.all().delete()
    MemberTouch.objects.all().delete()
    assert walk_again() == 1
    settle_down()
    assert inside(segment) == {alice.pk}


def test_what_makes_no_live_segment(alice):
    vip, live = make_list(), make_live({"is": "adult"})
    with pytest.raises(rule_errors.SegmentIsList):
        set_segment_rule(segment=vip, tree={"is": "adult"}, now=database_now())
    for tree in ({}, {"is": "segment", "of": "live"}):
        with pytest.raises(rule_errors.SegmentRuleRefused):
            set_segment_rule(segment=live, tree=tree, now=database_now())
    with pytest.raises(rule_errors.SegmentIsLive):
        fill(add_members, live, [alice])


def test_operators_fill_build_and_count(client, alice, bob):
    sign_in_operator(client, make_operator("editor"))
    segment = make_list()
    place = reverse("admin:benefits_segment_members", args=[segment.pk])
    file = SimpleUploadedFile("a.csv", f"member\n{alice.public_id}\nmbr_no\n".encode())
    page = client.post(place, {"file": file, "how": "add"}, follow=True).content.decode()
    assert "Added: 1, removed: 0, already so: 0, not found: mbr_no" in page
    assert inside(segment) == {alice.pk}
    live = Segment.objects.create(code="live", name="Live", kind="live")
    place = reverse("admin:benefits_segment_rule", args=[live.pk])
    draft = {"r:is": "all", "r.0:is": "bound", "r.0:days": "0"}
    page = client.post(place, {**draft, "act": "count"}).content.decode()
    assert "Counted exactly: everybody was looked at." in page
    assert alice.public_id in page
    page = client.post(place, {**draft, "act": "save"}, follow=True).content.decode()
    assert "everybody is being looked at" in page
    settle_down()
    assert inside(live) == {alice.pk, bob.pk}
    client.post(place, {**draft, "act": "count-all"})
    drain_population()
    run = PopulationRun.objects.get()
    assert run.report["eligible"]["likely"] == 2
    shown = client.get(reverse("admin:benefits_populationrun_change", args=[run.pk]))
    assert "All 2 active members were looked at" in shown.content.decode()
    assert client.get("/console/benefits/segmentevent/").status_code == 200
