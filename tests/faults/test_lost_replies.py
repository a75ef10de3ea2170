"""Replies that never arrive, and requests sent fifty times: one effect and one answer, at each door."""

import time
from dataclasses import dataclass

import httpx
import pytest

from benefits.models import Benefit, Claim, ReturnedSlot
from credits.queries import get_balance
from tests.api.caller import Caller, assigned_release, make_partner
from tests.benefits.factories import load_codes
from tests.faults.cuts import Cuts
from tests.faults.doors import Page, Partner
from tests.faults.test_grant_faults import assert_books_are_sound, make_rich_members
from tests.races.test_claim_races import widened
from tests.threads import together
from zone.members.models import Member
from zone.members.services.partner_members import introduce_member
from zone.partners.models import Event, IdempotencyRecord

pytestmark = pytest.mark.slow
SENDS = 50
PRICE = 20  # Of a hundred: a second effect could be paid for, so only a guard keeps it away.
STOCK = 320  # Sixteen ranges: their rows do not make the senders wait for each other.


@dataclass
class Door:
    """A way to claim, by who walks it."""

    name: str
    visitor: Page | Partner
    member: Member
    other: Benefit

    def left(self):
        return get_balance(self.member.pk).available

    def answer_of(self, reply: httpx.Response) -> tuple[int, str]:
        """What of a reply must be the same each time."""
        if self.name == "page":
            return reply.status_code, reply.headers.get("Location", reply.text)
        return reply.status_code, reply.text

    def claim_patiently(self) -> httpx.Response:
        """A partner is told while its first try is under way, and comes again."""
        until = time.monotonic() + 60
        while (reply := self.visitor.claim()).status_code == 409 and self.name == "partner":
            assert reply.json()["code"] == "idempotency_in_progress", reply.text
            assert time.monotonic() < until
            time.sleep(float(reply.headers["Retry-After"]))
        return reply


@pytest.fixture
def without():
    """The guard that the web application lacks: a control names one."""
    return ""


@pytest.fixture
def workers():
    """Processes behind the door: as many as requests are to be answered side by side."""
    return 1


@pytest.fixture(params=["page", "partner"])
def door(request, without, workers, cloned_database, live_stack):
    """The page or the API, to real web processes, for a member who could afford five."""
    name, price = request.param.split()[-1], 0 if "free" in request.param else PRICE
    acme = make_partner("acme")
    (alice,) = make_rich_members(1)
    release, other = (assigned_release(acme, codes=1, price=price) for _ in range(2))
    for each in (release, other):
        load_codes(each, STOCK - 1)
        type(each).objects.filter(pk=each.pk).update(per_member=SENDS)
    stack = live_stack(web=False)
    if without:
        stack.start_careless_web(without)
    else:
        stack.start_web(workers=workers)
    if name == "page":
        visitor = Page(stack.url, release, alice)
        visitor.look()
    else:
        known = introduce_member(partner=acme, member=alice).public_id
        body = {"member": known, "benefit": release.benefit.public_id, "external_id": "order-1"}
        visitor = Partner(stack.url, Caller.of(acme), body)
    return Door(name, visitor, alice, other.benefit)


def lose_the_reply(door, seed):
    """The door does what it was asked for, and whoever asked never hears of it."""
    port = int(door.visitor.url.rsplit(":", 1)[1])
    wire = Cuts(host="127.0.0.1", port=port, seed=seed)
    wire.reply_share = 1.0
    with pytest.raises(httpx.TransportError):
        door.visitor.claim(through=f"http://127.0.0.1:{wire.port}")
    wire.close()
    assert wire.lost_replies == 1


@pytest.mark.parametrize("seed", [12])
def test_a_lost_reply_is_asked_for_again_and_is_one_effect(cloned_database, door, seed):
    lose_the_reply(door, seed)
    made = Claim.objects.get()
    assert (made.state, door.left()) == ("granted", 100 - PRICE)
    replies = [door.claim_patiently() for _ in range(2)]
    assert {door.answer_of(reply) for reply in replies} == {door.answer_of(replies[0])}
    assert replies[0].status_code == (302 if door.name == "page" else 201)
    assert made.public_id in replies[0].headers.get("Location", "") + replies[0].text
    assert (Claim.objects.count(), door.left()) == (1, 100 - PRICE)
    assert_books_are_sound(cloned_database)


@pytest.mark.parametrize("without", ["memory"])
@pytest.mark.parametrize("door", ["free page"], indirect=True)  # A price has a guard of its own.
def test_control_without_a_memory_a_lost_reply_is_claimed_twice(cloned_database, door):
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_claim DROP CONSTRAINT benefits_claim_op_once")
    lose_the_reply(door, seed=12)
    assert Claim.objects.count() == 1
    assert door.visitor.claim().status_code == 302
    assert Claim.objects.count() == 2, "the control must see a second effect"
    assert_books_are_sound(cloned_database)


@pytest.mark.parametrize("workers", [3])
def test_fifty_identical_requests_are_one_effect_and_fifty_identical_answers(cloned_database, door):
    with widened(cloned_database):
        replies = together([door.claim_patiently] * SENDS)
    assert [reply for reply in replies if isinstance(reply, Exception)] == []
    assert {door.answer_of(reply) for reply in replies} == {door.answer_of(replies[0])}
    assert replies[0].status_code == (302 if door.name == "page" else 201)
    assert (Claim.objects.count(), door.left()) == (1, 100 - PRICE)
    if door.name == "partner":
        fresh = [reply for reply in replies if "Idempotent-Replayed" not in reply.headers]
        assert (len(fresh), Event.objects.count(), IdempotencyRecord.objects.count()) == (1, 1, 1)
    assert_books_are_sound(cloned_database)


@pytest.mark.parametrize("workers", [3])
@pytest.mark.parametrize("door", ["free page"], indirect=True)  # A price has a guard of its own.
def test_control_without_the_unique_operation_a_form_claims_more_than_once(cloned_database, door):
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_claim DROP CONSTRAINT benefits_claim_op_once")
        owner.execute("DROP INDEX benefits_claim_nth_once")  # It would catch them a step later.
    with widened(cloned_database):
        together([door.visitor.claim] * 12)
    assert Claim.objects.count() > 1, "the control must see a second effect"


def ask_for_something_else(door):
    """Under the key of the first claim: another benefit, then another price or order."""
    if door.name == "page":
        address, door.visitor.address = door.visitor.address, f"/benefits/{door.other.slug}/claim"
        replies = [door.visitor.claim(release=door.other.releases.get().public_id)]
        door.visitor.address = address
        return [*replies, door.visitor.claim(price=str(PRICE - 1))]
    return [
        door.visitor.claim(benefit=door.other.public_id),
        door.visitor.claim(external_id="order-2"),
    ]


def test_the_same_key_for_something_else_is_refused_and_writes_nothing(cloned_database, door):
    """Sent to another benefit, or at another price, after the first was claimed."""
    assert door.visitor.claim().status_code < 400
    first = Claim.objects.get()
    replies = ask_for_something_else(door)
    if door.name == "partner":
        assert {reply.json()["code"] for reply in replies} == {"idempotency_key_reused"}
    for reply in replies:
        assert reply.status_code == 422, reply.text
        assert first.public_id not in reply.text
    assert list(Claim.objects.all()) == [first]
    assert (door.left(), ReturnedSlot.objects.count()) == (100 - PRICE, 0)
    assert door.visitor.claim().status_code == (302 if door.name == "page" else 201)
    assert Claim.objects.count() == 1
    assert_books_are_sound(cloned_database)


@pytest.mark.parametrize("without", ["comparison"])
def test_control_without_a_comparison_it_is_answered_with_the_first_claim(cloned_database, door):
    first = door.visitor.claim()
    assert first.status_code < 400
    for reply in ask_for_something_else(door):
        assert door.answer_of(reply) == door.answer_of(first), "the control must see it replayed"
    assert Claim.objects.count() == 1
    assert_books_are_sound(cloned_database)
