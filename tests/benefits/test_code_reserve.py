"""A pool that mends itself: kept batches open, bad codes are replaced, bad batches set aside."""

import io
from datetime import timedelta

import pytest
from django.db import connection

from benefits.errors import BatchNotSetAside, NothingToReport, SliceSoldOut
from benefits.models import Alarm, Claim, CodeReport, Release
from benefits.queries.pools import read_identity, read_pools, read_rations
from benefits.services import code_keys, code_reports, pools
from benefits.services.code_reports import refuse_reported, replace_reported, report_code
from benefits.services.code_reserve import put_back, set_aside
from benefits.services.imports import import_codes
from benefits.services.pool_watch import watch_pools
from benefits.services.reveal import reveal_claim
from benefits.verify import INVARIANTS
from credits.queries import get_balance
from tests.benefits.factories import (
    claim,
    give_credits,
    load_codes,
    make_benefit,
    make_release,
    soon,
)
from tests.factories import bind, make_member, make_operator, sign_in_operator
from zone.core.clock import database_now
from zone.notices.models import Notice


@pytest.fixture(autouse=True)
def _sound_books(db):
    yield
    with connection.cursor() as cursor:
        for promise in INVARIANTS:
            if not promise.is_liveness:
                cursor.execute(promise.sql)
                assert cursor.fetchall() == [], promise.id


def keep(release, number, kind, *, prefix, days=90):
    codes = [f"{prefix}{n:08d}" for n in range(number)]
    lines = "".join(f"{code},https://apps.apple.com/redeem?code={code}\n" for code in codes)
    import_codes(
        release=release, source=io.BytesIO(f"code,redemption_url\n{lines}".encode()),
        file_name=f"{prefix}.csv", actor="operator:x", now=database_now(), kept_for=kind,
        expires_on=soon(days=days).date(),
    )  # fmt: skip
    release.refresh_from_db()
    return codes


def someone():
    member = make_member()
    bind(member)
    return member


def seen(member, release):
    made = claim(member, release)
    reveal_claim(claim=made, now=database_now(), actor="member:x")
    return Claim.objects.get(pk=made.pk)


def report(made, reason="invalid"):
    return report_code(claim=made, reason=reason, actor="member:x", now=database_now())


def code_of(made):
    code = made.release.codes.select_related("batch").get(slot=made.slot)
    return pools.open_code(code).code


def test_a_kept_batch_is_not_on_sale_and_opens_when_the_pool_is_low():
    release = make_release(make_benefit(), codes=10)
    later = keep(release, 5, "refill", prefix="LATER", days=120)
    sooner = keep(release, 10, "refill", prefix="SOONER", days=60)
    assert (release.stock, read_identity(release)["kept"]) == (10, 15)
    for _ in range(8):
        claim(someone(), release)
    assert watch_pools() == 2  # 20 % is its level for calling, and not yet below its line.
    assert read_identity(release)["kept"] == 15
    claim(someone(), release)
    watch_pools()
    release.refresh_from_db()
    places = read_identity(release)
    assert (release.stock, places["kept"], places["free"], places["void"]) == (20, 5, 11, 0)
    assert code_of(claim(someone(), release)) == sooner[0], "what ends first was opened"
    load_codes(release, 1)
    assert read_identity(release)["kept"] == len(later), "a new file does not open it"


def test_a_kept_batch_that_ends_too_soon_stays_closed():
    release = make_release(make_benefit(), codes=1)
    keep(release, 5, "refill", prefix="DYING", days=20)
    release.code_batches.filter(kept_for="refill").update(life_days_min=30)
    claim(someone(), release)
    watch_pools()
    assert read_identity(release)["kept"] == 5


def test_the_first_report_is_believed_and_replaced_from_what_is_kept_for_that(alice):
    release = make_release(make_benefit(price_credits=30), codes=3)
    (spare, *_) = keep(release, 2, "replacement", prefix="SPARE")
    give_credits(alice, 30)
    bad = seen(alice, release)
    made = report(bad)
    assert report(bad) == made, "a second click is the same report"
    bad.refresh_from_db()
    fresh = made.replacement
    assert (made.state, bad.state, fresh.state) == ("replaced", "revoked", "granted")
    assert (code_of(fresh), fresh.member, fresh.price_credits) == (spare, alice, 0)
    assert get_balance(alice.pk).available == 0, "it was paid once"
    release.refresh_from_db()
    assert (release.stock, read_identity(release)["kept"]) == (4, 1)
    assert [event.cause for event in bad.events.order_by("id")][-2:] == ["report", "revoke"]
    assert Notice.objects.filter(member=alice, kind="claim_reissued").count() == 1
    assert Alarm.objects.count() == 0


def test_a_second_report_waits_for_a_person(alice):
    release = make_release(make_benefit(per_member=3), codes=6)
    report(seen(alice, release))
    second, third = (report(seen(alice, release)) for _ in range(2))
    assert (second.state, third.state) == ("open", "open")
    assert Alarm.objects.filter(kind="code_reported", settled_at=None).count() == 2
    replace_reported(report=second, actor="operator:x", now=database_now())
    refuse_reported(report=third, actor="operator:x", now=database_now())
    states = CodeReport.objects.order_by("id").values_list("state", "decided_by")
    assert list(states) == [
        ("replaced", "worker"), ("replaced", "operator:x"), ("refused", "operator:x"),
    ]  # fmt: skip
    assert Alarm.objects.filter(settled_at=None).count() == 0
    assert Claim.objects.get(pk=third.claim_id).state == "granted"


def test_without_a_unit_the_report_waits_and_nothing_is_lost(alice):
    release = make_release(make_benefit(), codes=1)
    bad = seen(alice, release)
    assert report(bad).state == "open"
    assert Claim.objects.get(pk=bad.pk).state == "granted"
    assert Alarm.objects.get().kind == "code_reported"


@pytest.mark.parametrize("fault", ["unseen", "long ago", "ended", "credits"])
def test_only_a_code_that_was_seen_lately_is_reported(alice, fault):
    release = make_release(make_benefit(), codes=2)
    made = claim(alice, release) if fault == "unseen" else seen(alice, release)
    if fault == "long ago":
        Claim.objects.filter(pk=made.pk).update(revealed_at=soon(days=-31))
    elif fault == "ended":
        Claim.objects.filter(pk=made.pk).update(valid_until=soon(seconds=-1))
    elif fault == "credits":
        pack = make_benefit(kind="credit_pack", detail={"credits": 5})
        made = claim(alice, make_release(pack, mode="credits", stock=1))
    with pytest.raises(NothingToReport):
        report(made)
    assert CodeReport.objects.count() == 0


def test_a_batch_that_many_report_leaves_the_sale_by_itself():
    release = make_release(make_benefit(), mode="codes")
    load_codes(release, 20, expires_on=soon(days=60).date().isoformat())  # These go first.
    load_codes(release, 20)
    bad = release.code_batches.order_by("id").first()
    for _ in range(code_reports.BAD_REPORTS_MIN):
        made = report(seen(someone(), release))
        assert made.batch == bad
    bad.refresh_from_db()
    assert bad.set_aside_at is not None
    assert Alarm.objects.get(kind="batch_aside").subject == bad.public_id
    release.refresh_from_db()
    # Five codes were seen and five replaced them; the ten that were left are nobody's.
    assert (release.stock, read_identity(release)["free"]) == (30, 20)
    assert code_of(claim(someone(), release)) not in {
        pools.open_code(code).code for code in bad.codes.select_related("batch")
    }


def test_four_reports_or_a_small_share_are_no_bad_batch():
    release = make_release(make_benefit(), codes=200)
    for _ in range(4):
        report(seen(someone(), release))
    for _ in range(110):
        seen(someone(), release)
    report(seen(someone(), release))
    assert release.code_batches.get().set_aside_at is None


def test_what_was_set_aside_comes_back_and_nothing_twice(alice, bob):
    release = make_release(make_benefit(), codes=6)
    batch = release.code_batches.get()
    mine = claim(alice, release)
    now = database_now()
    assert set_aside(batch=batch, actor="operator:x", now=now, why="test") == 5
    assert set_aside(batch=batch, actor="operator:x", now=now, why="test") == 0
    release.refresh_from_db()
    assert (release.stock, read_identity(release)["void"]) == (1, 5)
    assert put_back(batch=batch, actor="operator:x", now=now) == 5
    with pytest.raises(BatchNotSetAside):
        put_back(batch=batch, actor="operator:x", now=now)
    assert claim(bob, release).slot != mine.slot
    assert read_identity(release)["free"] == 4
    assert Alarm.objects.filter(settled_at=None).count() == 0


def test_a_batch_set_aside_can_be_made_unreadable_and_never_comes_back():
    release = make_release(make_benefit(), codes=3)
    batch = release.code_batches.get()
    set_aside(batch=batch, actor="operator:x", now=database_now(), why="leaked")
    code_keys.shred_batch(batch=batch, actor="operator:x", now=database_now())
    with pytest.raises(BatchNotSetAside):
        put_back(batch=batch, actor="operator:x", now=database_now())
    assert Release.objects.get().stock == 0


def test_operators_decide_on_reports_in_the_console(client, alice):
    release = make_release(make_benefit(), codes=1)
    made = report(seen(alice, release))
    sign_in_operator(client, make_operator("viewer"))
    act = {"_selected_action": [made.pk]}
    client.post("/console/benefits/codereport/", {"action": "replace", **act})
    assert CodeReport.objects.get().state == "open"
    sign_in_operator(client, make_operator("support"))
    client.post("/console/benefits/codereport/", {"action": "replace", **act})
    assert CodeReport.objects.get().state == "open", "there is no unit"
    load_codes(release, 1)
    client.post("/console/benefits/codereport/", {"action": "replace", **act})
    assert CodeReport.objects.get().state == "replaced"


def test_a_ration_by_the_quarter_stops_the_sale_until_the_next_one(alice, bob):
    benefit = make_benefit()
    benefit.quotas.create(holder="all", period="quarter", allowed=1, time_zone="Asia/Shanghai")
    release = make_release(benefit, codes=5)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT benefits_window('quarter', timestamptz '2026-12-31 15:59Z', 'Asia/Shanghai'),"
            " benefits_window('quarter', timestamptz '2026-12-31 16:00Z', 'Asia/Shanghai'),"
            " benefits_window_end('quarter', timestamptz '2026-11-21 12:00Z', 'Asia/Shanghai')"
        )
        *keys, ends = cursor.fetchone()
    assert keys == ["2026-Q4", "2027-Q1"]
    assert ends.isoformat() == "2026-12-31T16:00:00+00:00"
    claim(alice, release)
    pool = read_pools(Release.objects.filter(pk=release.pk), now=database_now())[0]
    benefit.quotas.create(
        holder="all", period="quarter", allowed=1, time_zone="Asia/Shanghai",
        wallet_id=bob.wallet_id,
    )  # fmt: skip
    benefit.quotas.create(
        holder="all", period="quarter", allowed=1, time_zone="Asia/Shanghai", tier="gold"
    )
    (ration,) = read_rations(pool, now=database_now())
    benefit.quotas.exclude(wallet=None, tier="").update(is_active=False)
    assert (ration.allowed, ration.left) == (1, 0)
    assert abs(ration.gone_at - database_now()) < timedelta(minutes=1)
    with pytest.raises(SliceSoldOut, match="This quarter's are all gone"):
        claim(bob, release)
    with connection.cursor() as cursor:
        cursor.execute("SET zone.clock_offset = '92 days'")
        assert claim(bob, release).pk
        cursor.execute("RESET zone.clock_offset")
