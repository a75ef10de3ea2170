"""What a claim may cost: round trips are counted, so that a rush stays as light as it was made."""

import time
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from benefits import gate as gate_module
from benefits import middleware
from benefits.gate import Gate
from benefits.models import Claim, RuleVersion
from benefits.queries import find_code
from benefits.rush import gone, winners
from benefits.services import claims
from benefits.services.pools import open_code
from benefits.templatetags.benefit_looks import in_groups
from tests.benefits.factories import claim, load_codes, make_benefit, make_release, soon
from tests.factories import bind, make_member, sign_in
from tests.pages.test_claim_page import HTMX, claim_address, form_of
from zone.core.clock import database_now
from zone.core.ids import uuid7


@pytest.fixture
def round_trips():
    """The statements of a block, without the savepoints that a test's own transaction adds."""

    @contextmanager
    def count(number):
        with CaptureQueriesContext(connection) as caught:
            yield caught
        asked = [q["sql"] for q in caught if "SAVEPOINT" not in q["sql"]]
        assert len(asked) == number, asked

    return count


@pytest.fixture
def door(monkeypatch, settings):
    """A gate of this test's own, without Redis."""
    settings.HAS_REDIS = False
    monkeypatch.setattr(gate_module, "SOLD_OUT_SECONDS", 60.0)  # A test machine may be slow.
    fresh = Gate()
    for module in (claims, middleware, gone, winners):
        monkeypatch.setattr(module, "gate", fresh)
    return fresh


def warm(phone, release):
    """What is the same for everyone has been read once."""
    other = make_member()
    bind(other)
    claim(other, release)
    phone.post(claim_address(release), form_of(release, price=10**6), headers=HTMX)


@pytest.mark.parametrize("kind", ["codes", "provider"])
def test_a_winner_costs_two_queries(alices_phone, alice, door, kind, round_trips):
    release = make_release(make_benefit(), is_hot=True, **{
        "codes": {"codes": 3}, "provider": {"stock": 3},
    }[kind])  # fmt: skip
    warm(alices_phone, release)
    with round_trips(2) as caught:
        answer = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    made = Claim.objects.get(member=alice)
    assert answer.status_code == 200
    assert "benefits_claim_now" in " ".join(q["sql"] for q in caught.captured_queries)
    events = list(made.events.order_by("id").values_list("cause", "actor"))
    actor = f"member:{alice.public_id}"
    if kind == "codes":
        assert (made.state, events) == ("granted", [("claim", actor), ("reveal", actor)])
        assert made.revealed_at is not None
        assert open_code(find_code(made)).code in answer.content.decode()
    else:
        assert (made.state, events) == ("reserved", [("claim", actor)])


def test_sold_out_costs_one_query_and_a_retry_still_gets_its_claim(
    client, alices_phone, alice, bob, door, round_trips
):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    form = form_of(release)
    alices_phone.post(claim_address(release), form, headers=HTMX)
    sign_in(alices_phone, bob)
    first = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    assert b"All gone" in first.content
    with round_trips(1):
        again = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    assert again.content == first.content
    for name in ("Content-Security-Policy", "X-Frame-Options", "Cache-Control", "Vary"):
        assert again[name] == first[name], name
    assert again["Request-Id"].startswith("req_")
    # Without htmx it is a page, and whoever got the last one hears of it, not of the sell-out.
    assert alices_phone.post(claim_address(release), form_of(release)).status_code == 409
    sign_in(alices_phone, alice)
    retry = alices_phone.post(claim_address(release), form, headers=HTMX)
    assert b"All yours" in retry.content
    other = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    made = Claim.objects.get(member=alice)
    assert b"You have this one" in other.content
    assert made.public_id.encode() in other.content
    assert not Claim.objects.filter(member=bob).exists()


def test_a_kept_panel_shows_everyone_their_own_and_nobody_elses(alices_phone, alice, bob, door):
    release = make_release(make_benefit(), codes=2, is_hot=True)
    pages = {}
    for member in (alice, bob):
        sign_in(alices_phone, member)
        answer = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
        pages[member] = answer.content.decode()
    own = {member: Claim.objects.get(member=member) for member in (alice, bob)}
    codes = {member: open_code(find_code(made)) for member, made in own.items()}
    for member, other in ((alice, bob), (bob, alice)):
        page, code = pages[member], codes[member]
        assert f'data-copy="{code.code}"' in page
        assert in_groups(code.code) in page
        assert f'href="{escape(code.redeem_url)}"' in page
        assert own[member].public_id in page
        for theirs in (codes[other].code, in_groups(codes[other].code), own[other].public_id):
            assert theirs not in page
        assert "NEVER" not in page
        assert "never.invalid" not in page

    def blanked(member):
        own_words = (
            escape(codes[member].redeem_url), in_groups(codes[member].code), codes[member].code,
            own[member].public_id,
        )  # fmt: skip
        page = pages[member]
        for word in own_words:
            page = page.replace(word, "")
        return page

    assert blanked(alice) == blanked(bob)


def test_sold_out_is_forgotten_when_stock_comes_back(alices_phone, bob, door, monkeypatch):
    release = make_release(make_benefit(), codes=1, is_hot=True)
    claim(bob, release)
    assert b"All gone" in alices_phone.post(
        claim_address(release), form_of(release), headers=HTMX
    ).content  # fmt: skip
    door.sold_out_until.clear()  # 200 ms later
    load_codes(release, 1)
    answer = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    assert b"All yours" in answer.content


def test_after_the_blink_one_look_says_sold_out_again_and_no_claim_is_tried(
    alices_phone, bob, door, monkeypatch, round_trips
):
    benefit = make_benefit()
    release = make_release(benefit, codes=1, is_hot=True)
    claim(bob, release)

    def ask():
        return alices_phone.post(claim_address(release), form_of(release), headers=HTMX).content

    first = ask()
    door.sold_out_until[release.pk] = time.monotonic() - 1
    with round_trips(3) as caught:  # Who asks, whether there is a slot, whether one is on offer.
        assert ask() == first
    assert "benefits_claim_now" not in " ".join(q["sql"] for q in caught.captured_queries)
    assert door.is_sold_out(release.pk)
    # What is told first by a claim is told first here: a pause, and a unit that came back.
    door.sold_out_until[release.pk] = time.monotonic() - 1
    type(benefit).objects.filter(pk=benefit.pk).update(status="paused")
    assert b"Not this time" in ask()
    type(benefit).objects.filter(pk=benefit.pk).update(status="live")
    load_codes(release, 1)
    assert b"All yours" in ask()


def test_what_is_kept_of_a_release_is_never_older_than_its_rows(alices_phone, alice, door):
    """Control: a change between two requests is seen by the second, in the same process."""
    benefit = make_benefit(per_member=5)
    release = make_release(benefit, codes=5, is_hot=True, per_member=5)
    warm(alices_phone, release)

    def ask():
        return alices_phone.post(
            claim_address(release), form_of(release), headers=HTMX
        ).content.decode()

    assert "All yours" in ask()
    benefit.texts.update(title="Quite another name")
    assert "Quite another name" in ask()
    RuleVersion.objects.create(
        benefit=benefit,
        version=1,
        tree={"is": "segment", "of": "nobody"},
        actor="operator:test",
        created_at=database_now(),
    )
    assert "Not this time" in ask()
    RuleVersion.objects.create(
        benefit=benefit, version=2, tree={}, actor="operator:test", created_at=database_now()
    )
    assert "All yours" in ask()
    benefit.status = "paused"
    benefit.save()
    assert "Not this time" in ask()


def test_not_started_costs_one_query(alices_phone, alice, door, round_trips):
    release = make_release(make_benefit(), codes=1, is_hot=True, opens_at=soon(hours=1))
    alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    with round_trips(1):
        answer = alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    assert b"Not this time" in answer.content
    assert not Claim.objects.exists()


def test_a_session_that_was_ended_meets_a_closed_door(client, alice, door):
    session = sign_in(client, alice)
    release = make_release(make_benefit(), codes=1, is_hot=True)
    door.note_sold_out(release.pk)
    session.revoked_at = database_now()
    session.save()
    answer = client.post(claim_address(release), form_of(release, op_id=uuid7()), headers=HTMX)
    assert answer["HX-Redirect"].startswith("/welcome")


def test_the_server_plans_a_claim_once_and_not_for_each_member(alices_phone, alice, door):
    release = make_release(make_benefit(per_member=3), codes=3, is_hot=True, per_member=3)
    for _ in range(3):
        alices_phone.post(claim_address(release), form_of(release), headers=HTMX)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans FROM pg_prepared_statements"
            " WHERE statement LIKE '%%benefits_claim_now%%'"
            " OR statement LIKE '%%members_membersession session%%benefits_offered%%'"
        )
        uses = sorted(row[0] for row in cursor.fetchall())
    assert len(uses) == 2, "the two statements of a claim are prepared, and nothing twice"
    assert uses[0] >= 3


@pytest.mark.parametrize("table", ["old", "young"])
def test_a_claim_finds_its_row_and_never_reads_all_of_them(cloned_database, client, door, table):
    """Also once the server plans for any member at all, which it does from the sixth time on.

    A young table was empty when the server planned: then reading all of it is the cheapest way, and
    it goes on being read like that while a rush fills it.
    """
    release = make_release(make_benefit(per_member=24), codes=2000, is_hot=True, per_member=24)
    alice = make_member()
    bind(alice)
    sign_in(client, alice)

    def analyse():
        with cloned_database.connect(as_owner=True) as owner:
            owner.execute("VACUUM ANALYZE")

    def press():
        answer = client.post(claim_address(release), form_of(release), headers=HTMX)
        assert b"All yours" in answer.content

    if table == "young":
        analyse()
        for _ in range(10):
            press()
    for _ in range(600):
        other = make_member()
        bind(other)
        claim(other, release)
    warm(client, release)
    if table == "old":
        analyse()

    def read_in_full():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute(
                "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY (%s)",
                [["benefits_code", "benefits_claim", "benefits_claimevent"]],
            )
            return dict(cursor.fetchall())

    before = read_in_full()
    for _ in range(10):
        press()
    assert read_in_full() == before
