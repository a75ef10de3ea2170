"""Keys of codes: replaced while codes are read, destroyed so that nobody reads them again."""

import os
import re

import pytest
from django.conf import settings

from benefits.errors import CodesInUse
from benefits.models import BenefitEvent, Code, CodeBatch
from benefits.services import code_keys, imports, pools
from benefits.services.endings import revoke_claim
from benefits.services.reveal import reveal_claim
from benefits.services.stock import change_stock
from tests.benefits.factories import claim, load_codes, make_benefit, make_release
from tests.factories import bind, make_member, make_operator, sign_in_operator
from zone.core import vault
from zone.core.clock import database_now
from zone.core.vault import VaultError


def open_all(release):
    codes = release.codes.select_related("batch").order_by("slot")
    return [pools.open_code(code).code for code in codes]


def rotate(batch):
    code_keys.start_rotation(batch=batch, actor="operator:x", now=database_now())


def finish(batch):
    return code_keys.finish_rotation(batch=batch, actor="operator:x", now=database_now())


def old_keys():
    return CodeBatch.objects.exclude(old_key_sealed=None).count()


@pytest.fixture
def release(cloned_database):
    return make_release(make_benefit(per_member=9), mode="codes")


@pytest.fixture
def member(cloned_database):
    member = make_member()
    bind(member)
    return member


def test_codes_are_read_before_between_and_after(release, monkeypatch):
    monkeypatch.setattr(code_keys, "RESEAL_ROWS", 4)
    codes = load_codes(release, 10)
    batch = release.code_batches.get()
    before = {bytes(code.sealed) for code in release.codes.all()}
    rotate(batch)
    assert not code_keys.start_rotation(batch=batch, actor="operator:x", now=database_now())
    assert open_all(release) == codes
    count, last = code_keys.reseal_some(batch, after=0)
    assert (count, code_keys.count_waiting(batch)) == (4, 6)
    assert open_all(release) == codes
    assert not finish(batch), "six codes still need the old key"
    while count:
        count, last = code_keys.reseal_some(batch, after=last)
    assert finish(batch)
    assert open_all(release) == codes
    batch.refresh_from_db()
    assert (batch.key_number, batch.old_key_sealed, batch.key_horizon) == (2, None, None)
    assert not before & {bytes(code.sealed) for code in release.codes.all()}
    causes = BenefitEvent.objects.filter(cause__startswith="key_").order_by("id")
    assert [event.cause for event in causes] == ["key_new", "key_gone"]
    more = load_codes(release, 2)
    assert open_all(release) == codes + more


def test_what_was_sealed_with_the_old_key_opens_with_no_other(release):
    load_codes(release, 3)
    stolen = Code.objects.select_related("batch").get(slot=1)
    code_keys.start_rotation(batch=stolen.batch, actor="operator:x", now=database_now())
    while code_keys.drain_rotations():
        pass
    assert old_keys() == 0
    stolen.batch.refresh_from_db()
    with pytest.raises(VaultError):
        pools.open_code(stolen)


def test_the_old_key_stays_while_somebody_may_be_sealing_with_it(release, cloned_database):
    """A part of a file that was begun before the change is committed after it."""
    load_codes(release, 3)
    batch = release.code_batches.get()
    with cloned_database.connect() as rival:
        rival.autocommit = False
        rival.execute("SELECT 1 FROM benefits_release FOR NO KEY UPDATE")
        rotate(batch)
        code_keys.reseal_some(batch, after=0)
        assert not finish(batch)
        assert old_keys() == 1
        rival.commit()
    assert finish(batch)


def test_a_number_above_the_changes_own_may_still_have_read_the_old_key(release, cloned_database):
    """Numbers are given in one order and committed in another: only the horizon is safe."""
    load_codes(release, 3)
    batch = release.code_batches.get()
    with cloned_database.connect() as rotation, cloned_database.connect() as rival:
        rotation.autocommit = rival.autocommit = False
        rotation.execute("SELECT pg_current_xact_id()")  # The change has its number first,
        rival.execute("SELECT 1 FROM benefits_release FOR NO KEY UPDATE")
        key = rival.execute("SELECT key_sealed FROM benefits_codebatch").fetchone()[0]
        rotation.execute(
            "UPDATE benefits_codebatch SET old_key_sealed = key_sealed, key_sealed = %s,"
            " key_number = 2",
            [pools.new_batch_key()[1]],
        )
        rotation.commit()  # and is committed while the rival still works with the old key.
        batch.refresh_from_db()
        assert bytes(batch.old_key_sealed) == key
        code_keys.reseal_some(batch, after=0)
        assert not finish(batch)
        rival.commit()
    assert finish(batch)


def test_a_file_that_is_under_way_goes_on_with_the_new_key(release, monkeypatch):
    monkeypatch.setattr(imports, "CHUNK_ROWS", 2)
    store, turns = imports.Import.store, []

    def store_and_rotate(self, rows):
        store(self, rows)
        turns.append(len(rows))
        if len(turns) == 1:
            rotate(release.code_batches.get())
            while code_keys.drain_rotations():
                pass

    monkeypatch.setattr(imports.Import, "store", store_and_rotate)
    codes = load_codes(release, 6)
    assert (open_all(release), old_keys()) == (codes, 0)
    assert {bytes(code.sealed)[0] for code in release.codes.all()} == {2}


def test_a_shredded_batch_is_read_by_nobody_and_only_when_nobody_needs_it(release, member):
    load_codes(release, 3)
    batch = release.code_batches.get()
    shred = {"batch": batch, "actor": "operator:x"}
    made = claim(member, release)
    reveal_claim(claim=made, now=database_now(), actor="member:x")
    with pytest.raises(CodesInUse) as refusal:
        code_keys.shred_batch(now=database_now(), **shred)
    assert refusal.value.facts["count"] == 3
    change_stock(release=release, expected=3, target=1, actor="operator:x", now=database_now())
    revoke_claim(claim=made, reason="other", actor="operator:x", now=database_now())
    code_keys.shred_batch(now=database_now(), **shred)
    for code in Code.objects.select_related("batch"):
        assert code.last_four == ""
        with pytest.raises(VaultError):
            pools.open_code(code)
    assert BenefitEvent.objects.get(cause="shred").facts["batch"] == batch.public_id
    assert not code_keys.start_rotation(batch=batch, actor="x", now=database_now())


def test_a_members_ended_codes_are_destroyed_and_their_live_ones_kept(release, member):
    codes = load_codes(release, 3)
    ended, live = claim(member, release), claim(member, release)
    reveal_claim(claim=ended, now=database_now(), actor="member:x")
    revoke_claim(claim=ended, reason="other", actor="operator:x", now=database_now())
    assert code_keys.shred_codes_of(member_id=member.pk) == 1
    assert code_keys.shred_codes_of(member_id=member.pk) == 0
    with pytest.raises(VaultError):
        pools.open_code(Code.objects.select_related("batch").get(slot=ended.slot))
    assert reveal_claim(claim=live, now=database_now(), actor="m").code == codes[live.slot - 1]
    rotate(release.code_batches.get())  # And older copies of it go with the old key.
    while code_keys.drain_rotations():
        pass
    assert old_keys() == 0


def test_a_stolen_dump_says_nothing_without_the_key_outside_it(release, cloned_database):
    """The whole database as text: no code, and nothing in it opens one once its key is gone."""
    codes = load_codes(release, 5)
    with cloned_database.connect(as_owner=True) as thief:
        tables = thief.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname IN ('public', 'ledger')"
        ).fetchall()
        dump = b""
        for (table,) in tables:
            with thief.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT") as rows:
                dump += b"".join(bytes(row) for row in rows)
    assert len(dump) > 10_000
    for code in codes:
        assert code.encode() not in dump
        assert code.encode().hex().encode() not in dump
    batch = release.code_batches.get()
    sealed = [bytes(code.sealed) for code in release.codes.order_by("slot")]
    assert all(envelope.hex().encode() in dump for envelope in sealed), "the control: it is there"
    for candidate in re.findall(rb"\\\\x([0-9a-f]{64,})", dump):
        for key in (bytes.fromhex(candidate.decode())[:32], os.urandom(32)):
            with pytest.raises(VaultError):
                vault.unseal(sealed[0], aad=f"code:{release.pk}:1".encode(), key=key)
    # With the key outside the dump it opens, and after that key is destroyed it does not.
    assert open_all(release) == codes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "ZONE_KEYS", {2: os.urandom(32)})
        with pytest.raises(VaultError):
            pools.open_batch_key(batch)


def test_keys_are_wrapped_anew_and_the_old_wrapping_key_can_go(release, settings):
    codes = load_codes(release, 2)
    first = dict(settings.ZONE_KEYS)
    settings.ZONE_KEYS = {**first, 9: os.urandom(32)}
    assert (code_keys.wrap_anew(), code_keys.wrap_anew()) == (1, 0)
    settings.ZONE_KEYS = {9: settings.ZONE_KEYS[9]}
    assert open_all(release) == codes


def test_the_console_changes_keys_and_destroys_them_by_two_roles(release, client):
    load_codes(release, 2)
    change_stock(release=release, expected=2, target=0, actor="operator:x", now=database_now())
    batch = release.code_batches.get()
    page = f"/console/benefits/codebatch/{batch.pk}"
    sign_in_operator(client, make_operator("editor"))
    assert client.post(f"{page}/shred/", {"public_id": batch.public_id}).status_code == 403
    client.post(f"{page}/new-key/")
    assert "2, 2 codes still under the one before" in client.get(f"{page}/change/").content.decode()
    sign_in_operator(client, make_operator("approver"))
    assert client.post(f"{page}/new-key/").status_code == 403
    client.post(f"{page}/shred/", {"public_id": "cbt_another"})
    assert CodeBatch.objects.get().shredded_at is None
    client.post(f"{page}/shred/", {"public_id": batch.public_id})
    assert CodeBatch.objects.get().shredded_at is not None
