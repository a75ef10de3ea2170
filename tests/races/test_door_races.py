"""One member's limit, reached for through the page, the partner API and the console at one instant."""

import uuid

import pytest
from django.test import Client

from benefits.models import BulkRow, Claim
from benefits.services import bulk
from tests.api.caller import Caller, assigned_release, make_partner
from tests.factories import sign_in
from tests.races.test_claim_races import (
    WIDE_STOCK,
    books,
    drop_constraint,
    make_members,
    widened,
)
from tests.threads import together
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.services.partner_members import introduce_member

pytestmark = pytest.mark.slow
LIMIT = 2
TRIES = 6  # At each door.


class Doors:
    """A member and what stands ready at each door, each try an operation of its own."""

    def __init__(self):
        acme = make_partner("acme")
        (self.alice,) = make_members(1)
        self.release = assigned_release(acme, stock=WIDE_STOCK)
        type(self.release).objects.filter(pk=self.release.pk).update(per_member=LIMIT)
        self.known = introduce_member(partner=acme, member=self.alice).public_id
        self.caller = Caller.of(acme)
        for _ in range(TRIES):
            bulk.start_grants(
                release=self.release,
                lines=[self.alice.public_id],
                source="a file",
                actor="operator:test",
                now=database_now(),
            )

    def page(self):
        phone = Client()
        sign_in(phone, self.alice)
        form = {"op_id": uuid7(), "price": 0, "release": self.release.public_id}
        answer = phone.post(f"/benefits/{self.release.benefit.slug}/claim", form)
        if answer.status_code == 302:
            return "page yes"
        return "page no" if b"You already have" in answer.content else answer.content.decode()

    def partner(self):
        answer = self.caller.post(
            "/claims",
            {
                "member": self.known,
                "benefit": self.release.benefit.public_id,
                "external_id": uuid.uuid4().hex,
            },
        )
        return answer.json().get("code") or f"partner {answer.json()['status']}"

    def console(self):
        return bulk.drain_bulk()

    def rush(self):
        return together([self.page, self.partner, self.console] * TRIES)


def test_the_limit_holds_across_page_partner_and_console(cloned_database):
    doors = Doors()
    with widened(cloned_database):
        answers = doors.rush()
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    rows = list(BulkRow.objects.values_list("state", "reason"))
    yes = answers.count("page yes") + sum(a == "partner pending" for a in answers)
    yes += rows.count(("done", ""))
    assert yes == Claim.objects.count() == LIMIT, (answers, rows)
    assert sorted(Claim.objects.values_list("nth", flat=True)) == [1, 2]
    said = {a for a in answers if isinstance(a, str)} - {"page yes", "partner pending"}
    assert said <= {"page no", "limit_reached"}, said
    assert set(rows) <= {("done", ""), ("refused", "limit_reached")}
    assert len(rows) == TRIES
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_without_the_unique_limit_the_doors_give_more(cloned_database):
    doors = Doors()
    drop_constraint(cloned_database, "benefits_claim_nth_once")
    with widened(cloned_database):
        doors.rush()
    assert Claim.objects.count() > LIMIT, "the control must see a third claim"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I17" in report
