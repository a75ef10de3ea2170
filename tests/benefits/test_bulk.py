"""One verb for many: what every row became, and what pausing, canceling and repeating leave."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benefits.errors import ImportRefused
from benefits.models import BulkJob, BulkRow, Claim, Segment, SegmentMember
from benefits.services import bulk
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.benefits.test_claim_benefit import balance
from tests.factories import bind, make_member, make_operator, sign_in_operator
from zone.core.clock import database_now
from zone.notices.models import Notice

WHO = {"actor": "operator:x"}


def members(number):
    made = [make_member() for _ in range(number)]
    for member in made:
        bind(member)
    return made


def segment_of(people):
    segment = Segment.objects.create(code="spring", name="Spring")
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=segment, member=member) for member in people
    )
    return segment


def results(job):
    return [(row.state, row.reason) for row in job.rows.order_by("number")]


def test_each_member_of_a_list_is_granted_once_and_every_refusal_is_named(db, carol):
    people = members(3)
    release = make_release(make_benefit(), codes=2)
    job = bulk.start_grants(
        release=release, segment=segment_of([*people, carol]), now=database_now(), **WHO
    )
    assert (job.total, job.state) == (4, "running")
    assert bulk.drain_bulk() == 4
    assert sorted(results(job)) == [
        ("done", ""),
        ("done", ""),
        ("refused", "binding_required"),
        ("refused", "out_of_stock"),
    ]
    job.refresh_from_db()
    assert (job.state, job.finished_at is not None) == ("done", True)
    assert bulk.drain_bulk() == 0
    assert Claim.objects.count() == 2
    assert set(Claim.objects.values_list("events__actor", flat=True)) == {"operator:x"}


def test_a_file_is_read_line_by_line(db, alice):
    content = f"member\n{alice.public_id}\nmbr_nobody\n{alice.public_id}\n".encode()
    release = make_release(make_benefit(), codes=3)
    job = bulk.start_grants(
        release=release, lines=bulk.read_lines(content), source="a.csv", now=database_now(), **WHO
    )
    bulk.drain_bulk()
    assert results(job) == [
        ("done", ""),
        ("refused", "not_found"),
        ("refused", "duplicate_in_file"),
    ]
    assert Claim.objects.count() == 1
    for damaged in (b"\xff\xfe\x00", b"member\nmbr_\0\n"):
        with pytest.raises(ImportRefused):
            bulk.read_lines(damaged)


def test_paused_it_waits_resumed_it_goes_on_canceled_it_stays_consistent(db):
    release = make_release(make_benefit(), codes=9)
    job = bulk.start_grants(
        release=release, segment=segment_of(members(4)), now=database_now(), **WHO
    )
    assert bulk.pause_job(job=job)
    assert bulk.drain_bulk() == 0
    assert bulk.resume_job(job=job)
    assert not bulk.resume_job(job=job)
    bulk.CHUNK_ROWS, kept = 1, bulk.CHUNK_ROWS
    try:
        assert bulk._drain_chunk(job) == 1
    finally:
        bulk.CHUNK_ROWS = kept
    assert bulk.cancel_job(job=job, now=database_now())
    assert not bulk.cancel_job(job=job, now=database_now())
    assert bulk.drain_bulk() == 0
    assert [state for state, _ in results(job)] == ["done"] + ["canceled"] * 3
    assert Claim.objects.count() == 1


def test_claims_are_taken_away_and_given_back_by_jobs(db):
    release = make_release(make_benefit(price_credits=10), codes=3)
    people = members(3)
    for member in people:
        give_credits(member, 10)
        claim(member, release)
    job = bulk.start_on_claims(
        verb="revoke",
        claims=release.claims.all(),
        source=release.public_id,
        options={"reason": "other", "note": "", "gives_credits_back": True},
        now=database_now(),
        **WHO,
    )
    bulk.drain_bulk()
    assert set(results(job)) == {("done", "")}
    assert {claim.state for claim in Claim.objects.all()} == {"revoked"}
    assert [balance(member)[0] for member in people] == [10, 10, 10]
    undo = bulk.undo_revocations(job=job, now=database_now(), **WHO)
    bulk.drain_bulk()
    assert set(results(undo)) == {("done", "")}
    assert {claim.state for claim in Claim.objects.all()} == {"granted"}
    assert [balance(member)[0] for member in people] == [0, 0, 0]
    assert BulkJob.objects.filter(state="done").count() == 2
    assert BulkRow.objects.count() == 6


def test_by_filter_in_the_console_everybody_hears_why_and_a_day_later_it_is_undone(db, client):
    release = make_release(make_benefit(), codes=150)
    people = members(150)
    for member in people:
        claim(member, release)
    used = release.claims.first()
    Claim.objects.filter(pk=used.pk).update(state="redeemed", redeemed_at=database_now())
    sign_in_operator(client, make_operator("approver"))
    client.post(
        "/console/benefits/claim/?state__exact=granted",
        {"action": "revoke_many", "select_across": "1", "_selected_action": [used.pk + 1]},
    )
    job = BulkJob.objects.get()
    assert (job.total, job.source) == (149, "state__exact=granted")
    address = f"/console/benefits/bulkjob/{job.pk}"
    assert "0 %" in client.get(f"{address}/change/").content.decode()
    bulk.drain_bulk()
    assert "100 %" in client.get(f"{address}/change/").content.decode()
    told = Notice.objects.filter(kind="claim_revoked")
    assert set(told.values_list("member_id", "facts__reason")) == {
        (member.pk, "issue_error") for member in people if member.pk != used.member_id
    }
    client.post(f"{address}/undo/")
    bulk.drain_bulk()
    states = Claim.objects.values_list("state", flat=True)
    assert sorted(states) == ["granted"] * 149 + ["redeemed"]


def take_away(release):
    return bulk.start_on_claims(
        verb="revoke",
        claims=release.claims.all(),
        source="a filter",
        options={"reason": "issue_error"},
        now=database_now(),
        **WHO,
    )


def test_a_row_costs_the_same_however_many_there_are(db):
    """What ten thousand take is what one takes, ten thousand times: nothing is read for all."""
    counts = []
    for number in (bulk.CHUNK_ROWS, 4 * bulk.CHUNK_ROWS):
        release = make_release(make_benefit(), codes=number)
        for member in members(number):
            claim(member, release)
        job = take_away(release)
        with CaptureQueriesContext(connection) as asked:
            assert bulk._drain_chunk(job) == bulk.CHUNK_ROWS
        counts.append(len(asked))
        bulk.drain_bulk()
    assert counts[0] == counts[1]
    assert counts[0] <= 14 * bulk.CHUNK_ROWS


def test_the_list_of_jobs_reads_no_row_that_is_settled(db, client):
    sign_in_operator(client, make_operator("approver"))
    release = make_release(make_benefit(), codes=4)
    for member in members(4):
        claim(member, release)
    first = take_away(release)
    bulk.drain_bulk()
    page = "/console/benefits/bulkjob/"
    client.get(page)
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            shown = client.get(page).content.decode()
        assert "100 %" in shown
        asked.append(len(queries))
        for _ in range(3):
            bulk.undo_revocations(job=first, now=database_now(), **WHO)
    assert asked[0] == asked[1]
    shown = client.get(page).content.decode()
    assert shown.count('value="0"') >= 3, "and those that wait say so"
