"""Fair draws: one entry each, an order that anyone can check, winners that claim by themselves."""

import hashlib
import hmac
import json
import subprocess
import sys
from copy import deepcopy
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from benefits import verify_drop
from benefits.errors import DrawnOnly, DrawRefused, EntriesClosed
from benefits.models import Claim, DrawEntry, FairDraw
from benefits.queries.draws import prove_draw
from benefits.services import draws
from credits.queries import get_balance
from tests.benefits.factories import claim, give_credits, make_benefit, make_release, soon
from tests.factories import bind, make_member, sign_in
from zone.core.clock import database_now
from zone.notices.models import Notice


def announce(*, stock=2, beacon_name="", **benefit):
    """A draw that takes entries now."""
    release = make_release(make_benefit(**benefit), codes=stock, opens_at=soon(hours=1))
    now = database_now()
    return draws.announce_draw(
        release=release,
        entries_open_at=now,
        entries_close_at=now + timedelta(minutes=30),
        beacon_name=beacon_name,
        actor="operator:test",
        now=now,
    )


def people(number):
    members = [make_member() for _ in range(number)]
    for member in members:
        bind(member)
    return members


def enter(draw, members):
    return [draws.enter_draw(member=one, draw=draw, now=database_now()) for one in members]


def close(draw):
    """Its window is over; the terms that were published stay as they are."""
    past = database_now() - timedelta(seconds=1)
    FairDraw.objects.filter(pk=draw.pk).update(
        entries_open_at=past - timedelta(hours=1), entries_close_at=past
    )
    type(draw.release).objects.filter(pk=draw.release_id).update(opens_at=past)


def proof_of(draw):
    draw.refresh_from_db()
    return json.loads(json.dumps(prove_draw(draw)))


def test_winners_claim_losers_are_told_and_the_proof_holds(db):
    draw = announce(stock=2)
    published = proof_of(draw)
    members = people(5)
    entries = enter(draw, members)
    assert set(published) == {"format", "state", "terms", "commitment"}
    assert draws.drain_draws() == 0  # Nothing happens before the close.
    close(draw)
    assert draws.drain_draws() == 2

    proof = proof_of(draw)
    order = verify_drop.check(proof, published)
    won = {entry.public_id: entry for entry in DrawEntry.objects.filter(state="won")}
    assert proof["winners"] == order[:2] == [*sorted(won, key=lambda one: won[one].rank)]
    for entry in won.values():
        assert (entry.claim.member_id, entry.claim.state) == (entry.member_id, "granted")
    assert Claim.objects.count() == 2
    assert {entry.public_id for entry in entries} == set(proof["entries"])
    kinds = Notice.objects.filter(kind__startswith="draw_").values_list("member_id", "kind")
    assert dict(kinds) == {
        entry.member_id: "draw_won" if entry.public_id in won else "draw_lost" for entry in entries
    }
    assert draws.drain_draws() == 0
    assert Notice.objects.filter(kind__startswith="draw_").count() == 5


def test_the_order_is_that_of_an_independent_reckoning(db):
    """The same by hand: HMAC-SHA256 under the seed, smallest first."""
    draw = announce(stock=1, beacon_name="numbers of 24 November")
    enter(draw, people(4))
    close(draw)
    draws.drain_draws()
    draw.refresh_from_db()
    assert (draw.state, draw.secret) == ("closed", "")
    with pytest.raises(DrawRefused):
        draws.set_beacon(draw=announce(), value="x", actor="operator:test")
    draws.set_beacon(draw=draw, value="7 9 13", actor="operator:test")
    draws.drain_draws()
    proof = proof_of(draw)

    def spelled(*parts):
        return json.dumps(["apple-zone-draw-1", *parts], sort_keys=True, separators=(",", ":"))

    leaves = [hashlib.sha256(b"\0" + one.encode()).digest() for one in sorted(proof["entries"])]
    pairs = [hashlib.sha256(b"\1" + leaves[i] + leaves[i + 1]).digest() for i in (0, 2)]
    root = hashlib.sha256(b"\1" + pairs[0] + pairs[1]).hexdigest()
    seed = hashlib.sha256(spelled(proof["secret"], root, "7 9 13").encode()).hexdigest()
    first = min(
        proof["entries"],
        key=lambda one: hmac.new(bytes.fromhex(seed), one.encode(), "sha256").digest(),
    )
    assert (proof["entries_root"], proof["seed"], proof["winners"]) == (root, seed, [first])
    assert (
        hashlib.sha256(spelled(proof["terms"], proof["secret"]).encode()).hexdigest()
        == proof["commitment"]
    )


def test_whatever_is_tampered_with_is_found(db, tmp_path):
    draw = announce(stock=2)
    published = proof_of(draw)
    enter(draw, people(6))
    close(draw)
    draws.drain_draws()
    proof = proof_of(draw)
    winner, loser = proof["winners"][0], (set(proof["entries"]) - set(proof["winners"])).pop()
    other = "0" * 64

    def forged(change):
        changed = deepcopy(proof)
        change(changed)
        return changed

    changes = {
        "a secret": lambda p: p.update(secret=other),
        "an entry left out": lambda p: p["entries"].remove(loser),
        "an entry added": lambda p: p["entries"].append("ent_friend"),
        "an entry twice": lambda p: p["entries"].append(loser),
        "a winner exchanged": lambda p: p["winners"].__setitem__(0, loser),
        "winners in another order": lambda p: p["winners"].reverse(),
        "a winner less": lambda p: p["winners"].pop(),
        "a winner passed over": lambda p: (
            p["passed"].append({"entry": winner, "reason": ""}), p["winners"].remove(winner),
        ),
        "more winners than announced": lambda p: p["terms"].update(winners_max=3),
        "another root": lambda p: p.update(entries_root=other),
        "another seed": lambda p: p.update(seed=other),
        "an outside value": lambda p: p.update(beacon="x"),
    }  # fmt: skip
    for change in changes.values():
        with pytest.raises(verify_drop.Wrong):
            verify_drop.check(forged(change), published)
    # Terms and secret exchanged together agree with each other, not with what was published.
    both = forged(lambda p: p["terms"].update(winners_max=3))
    both["commitment"] = verify_drop.commitment_of(both["terms"], both["secret"])
    both["winners"] = verify_drop.order_of(both["entries"], both["seed"])[:3]
    assert verify_drop.check(both)
    with pytest.raises(verify_drop.Wrong):
        verify_drop.check(both, published)

    # The program by itself, without any of ours around it.
    for name, content in (("proof", proof), ("before", published), ("forged", both)):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))

    def run(name, *more):
        return subprocess.run(
            [sys.executable, "-I", "-S", verify_drop.__file__, str(tmp_path / name), *more],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    before = ("--published", str(tmp_path / "before.json"))
    good = run("proof.json", *before, "--entry", winner)
    assert (good.returncode, good.stdout.splitlines()) == (
        0, ["6 entries, 2 winners: everything holds", f"{winner} was drawn as number 1: won"],
    )  # fmt: skip
    assert run("forged.json", *before).returncode == 1
    assert run("nothing.json").returncode == 2


def test_entering_again_changes_nothing(db, alice):
    draw = announce()
    first = enter(draw, [alice] * 5)
    assert len({entry.pk for entry in first}) == 1
    assert DrawEntry.objects.filter(draw=draw).count() == 1
    with pytest.raises(IntegrityError), transaction.atomic():
        DrawEntry.objects.create(draw=draw, member=alice, entered_at=database_now())


def test_nobody_enters_outside_the_window_and_nobody_claims_past_the_draw(db, alice, bob):
    draw = announce(stock=1)
    enter(draw, [alice])
    close(draw)
    with pytest.raises(EntriesClosed):
        enter(draw, [bob])
    # Closed, open to claims by its hour: neither who entered nor who did not may take one.
    for member in (alice, bob):
        with pytest.raises(DrawnOnly):
            claim(member, draw.release)
    draws.drain_draws()
    assert Claim.objects.get().member == alice


def test_control_without_the_guard_a_stranger_would_take_what_is_drawn_for(db, bob):
    draw = announce(stock=1)
    close(draw)
    with pytest.raises(DrawnOnly):
        claim(bob, draw.release)
    FairDraw.objects.filter(pk=draw.pk).update(state="canceled")
    assert claim(bob, draw.release).state == "granted"


def test_whoever_cannot_claim_is_passed_over_by_name_and_the_next_one_has_it(db):
    draw = announce(stock=2, price_credits=50)
    members = people(5)
    enter(draw, members)
    for member in members[:3]:
        give_credits(member, 60)
    close(draw)
    assert draws.drain_draws() == 2
    proof = proof_of(draw)
    verify_drop.check(proof)
    assert {row["reason"] for row in proof["passed"]} <= {"insufficient_credits"}
    winners = DrawEntry.objects.filter(state="won").values_list("member_id", flat=True)
    assert set(winners) <= {member.pk for member in members[:3]}
    for member in members[3:]:
        assert get_balance(member).available == 0


def test_fewer_entries_than_units_leaves_the_rest_to_everyone(db, alice, bob):
    draw = announce(stock=3)
    enter(draw, [alice])
    close(draw)
    draws.drain_draws()
    verify_drop.check(proof_of(draw))
    assert claim(bob, draw.release).state == "granted"


def test_a_draw_is_announced_before_its_release_opens_and_canceled_before_it_is_drawn(db, alice):
    open_now = make_release(make_benefit(), codes=1)
    now = database_now()
    window = {"entries_open_at": now, "entries_close_at": now + timedelta(hours=1)}
    with pytest.raises(DrawRefused):
        draws.announce_draw(release=open_now, actor="operator:x", now=now, **window)
    draw = announce()
    with pytest.raises(DrawRefused):
        draws.announce_draw(
            release=draw.release, actor="operator:x", now=database_now(),
            entries_open_at=soon(minutes=1), entries_close_at=soon(hours=1),
        )  # fmt: skip
    enter(draw, [alice])
    close(draw)
    draws.drain_draws()
    with pytest.raises(DrawRefused):
        draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())


def test_the_secret_cannot_be_shown_before_the_list(db):
    draw = announce()
    with pytest.raises(IntegrityError), transaction.atomic():
        FairDraw.objects.filter(pk=draw.pk).update(secret="x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, seed FROM benefits_fairdraw WHERE id = %s", [draw.pk])
        assert cursor.fetchone() == ("", "")


def test_the_page_tells_the_chance_and_takes_one_entry(client, alice, bob):
    draw = announce(stock=1)
    address = f"/draws/{draw.public_id}"
    stranger = client.get(address).content.decode()
    assert draw.commitment in stranger
    assert f"/welcome?next={address}" in stranger
    assert client.post(f"{address}/enter").status_code == 302
    assert not DrawEntry.objects.exists()
    sign_in(client, alice)
    assert f"/draws/{draw.public_id}" in client.get(
        f"/benefits/{draw.release.benefit.slug}"
    ).content.decode()  # fmt: skip
    enter(draw, [bob])
    for _ in range(2):
        client.post(f"{address}/enter")
    page = client.get(address).content.decode()
    mine = DrawEntry.objects.get(member=alice)
    assert "1 in 2" in page
    assert mine.public_id in page
    assert "Enter the draw" not in page
    close(draw)
    draws.drain_draws()
    page = client.get(address).content.decode()
    assert ("You won" in page) != ("Not this time" in page)
    assert client.get(f"{address}/proof.json").json()["state"] == "done"
    program = client.get("/draws/verify_drop.py")
    assert program.content.startswith(b"#!/usr/bin/env python3")
    assert client.get("/draws/drw_none").status_code == 404
    # The inbox finds words for both kinds.
    assert client.get("/inbox").status_code == 200
