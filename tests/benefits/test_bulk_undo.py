"""Giving back: only what the job took away, to who is still there, and never what has ended."""

from datetime import timedelta

import pytest

from benefits.errors import Busy, NothingTaken, RestoreRefused, StillTaking
from benefits.models import BulkJob, Claim
from benefits.services import bulk
from benefits.services.endings import restore_claim, revoke_claim
from credits.errors import LedgerBusy
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.grouping import make_friend, wallet_of
from tests.factories import make_operator, sign_in_operator
from zone.core.clock import database_now
from zone.members.models import Member

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = {"actor": "operator:x"}
BACK = {"reason": "other", "note": "", "gives_credits_back": True}


@pytest.fixture
def made(db):
    return claim(make_friend(10), make_release(make_benefit(price_credits=10), codes=3))


def take_away():
    job = bulk.start_on_claims(
        verb="revoke", claims=Claim.objects.all(), source="x", options=BACK, now=database_now(),
        **WHO,
    )  # fmt: skip
    bulk.drain_bulk()
    return job


def undo(job):
    return bulk.undo_revocations(job=job, now=database_now(), **WHO)


def stands(made):
    made.refresh_from_db()
    return made.state, wallet_of(made.member)[0]


def take_for_fraud(made):
    made.refresh_from_db()
    revoke_claim(claim=made, reason="fraud", actor="operator:y", now=database_now())


def test_what_somebody_else_took_away_since_stays_away(made):
    job = take_away()
    undo(job)
    bulk.drain_bulk()
    assert stands(made) == ("granted", 0)
    take_for_fraud(made)
    again = undo(job)
    bulk.drain_bulk()
    assert (stands(made), again.total) == (("revoked", 0), 0)


def test_also_when_it_was_taken_while_the_undoing_waited(made):
    job = take_away()
    late = undo(job)
    restore_claim(claim=made, actor="operator:z", now=database_now())
    take_for_fraud(made)
    bulk.drain_bulk()
    assert stands(made) == ("revoked", 0)
    assert list(late.rows.values_list("state", "reason")) == [("refused", "invalid_state")]


def test_a_job_that_took_nothing_away_gives_nothing_back(client, db):
    member, release = make_friend(), make_release(make_benefit(), codes=1)
    job = bulk.start_grants(release=release, lines=[member.public_id], now=database_now(), **WHO)
    bulk.drain_bulk()
    made = Claim.objects.get()
    take_for_fraud(made)
    with pytest.raises(NothingTaken):
        undo(job)
    sign_in_operator(client, make_operator("approver"))
    answer = client.post(f"/console/benefits/bulkjob/{job.pk}/undo/")
    assert "This job took nothing away" in answer.content.decode()
    bulk.drain_bulk()
    assert (stands(made)[0], BulkJob.objects.count()) == ("revoked", 1)


def test_a_job_that_goes_on_is_canceled_before_it_is_undone(made):
    job = bulk.start_on_claims(
        verb="revoke", claims=Claim.objects.all(), source="x", options=BACK, now=database_now(),
        **WHO,
    )  # fmt: skip
    with pytest.raises(StillTaking):
        undo(job)
    bulk.cancel_job(job=job, now=database_now())
    assert undo(job).total == 0
    bulk.drain_bulk()
    assert stands(made) == ("granted", 0)


def test_nobody_pays_again_for_what_has_ended_meanwhile(made):
    take_away()
    end = database_now() - timedelta(seconds=1)
    Claim.objects.update(valid_until=end)
    with pytest.raises(RestoreRefused):
        restore_claim(claim=made, actor="operator:x", now=database_now())
    assert stands(made) == ("revoked", 10)
    Claim.objects.update(valid_until=end + timedelta(hours=1))
    restore_claim(claim=made, actor="operator:x", now=database_now())
    assert stands(made) == ("granted", 0)


@pytest.mark.parametrize(("times", "becomes"), [(2, "revoked"), (9, "granted")])
def test_a_row_that_was_kept_waiting_is_tried_again(made, monkeypatch, times, becomes):
    """A lock of somebody else's that did not come in time is no answer about the claim."""
    tries = []

    def busy_at_first(**how):
        tries.append(how)
        if len(tries) <= times:
            raise LedgerBusy()
        return revoke_claim(**how)

    monkeypatch.setattr(bulk, "revoke_claim", busy_at_first)
    job = take_away()
    assert stands(made)[0] == becomes
    assert (len(tries), job.rows.get().state) == (
        3, "done" if becomes == "revoked" else "refused",
    )  # fmt: skip


def test_a_row_waits_while_a_rush_does(db, monkeypatch):
    member, release = make_friend(), make_release(make_benefit(), codes=1)
    job = bulk.start_grants(release=release, lines=[member.public_id], now=database_now(), **WHO)

    def busy(**how):
        raise Busy()

    with monkeypatch.context() as rush:
        rush.setattr(bulk, "claim_benefit", busy)
        assert bulk.drain_bulk() == 0
    assert (job.rows.get().state, job.rows.get().settled_at) == ("waiting", None)
    assert bulk.drain_bulk() == 1
    job.refresh_from_db()
    assert (job.rows.get().state, job.state) == ("done", "done")


def test_who_is_forgotten_is_given_nothing(made):
    take_for_fraud(made)
    Member.objects.filter(pk=made.member_id).update(status="erased")
    with pytest.raises(RestoreRefused):
        restore_claim(claim=made, actor="operator:x", now=database_now())
    assert stands(made)[0] == "revoked"
