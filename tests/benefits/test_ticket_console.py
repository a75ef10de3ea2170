"""From the prize to the first ticket in the console, by an editor and an approver."""

from benefits.models import Benefit, DrawEntry, FairDraw
from tests.benefits.factories import claim, make_benefit, make_release, soon
from tests.benefits.test_benefits_admin import enter
from tests.benefits.test_draw_tickets import TICKET

ACTIONS = "/console/benefits/benefit/"


def press(client, role, action, benefit):
    enter(client, role)
    asked = {"action": action, "_selected_action": [benefit.pk]}
    return client.post(ACTIONS, asked, follow=True).content.decode()


def make_ticket_release(client, benefit, *, mode):
    return client.post(
        "/console/benefits/release/add/",
        {
            "benefit": benefit.pk, "mode": mode, "price_credits": 0, "per_member": 2,
            "refill_percent": 10, "opens_at_0": "2026-01-01", "opens_at_1": "00:00",
            "counters-TOTAL_FORMS": 0, "counters-INITIAL_FORMS": 0,
            "code_batches-TOTAL_FORMS": 0, "code_batches-INITIAL_FORMS": 0,
        },
        follow=True,
    ).content.decode()  # fmt: skip


def test_a_draw_by_ticket_is_set_up_and_goes_out(client, alice):
    prize = make_release(make_benefit(), codes=2, opens_at=soon(hours=9))
    enter(client, "editor")
    answer = client.post(
        f"/console/benefits/release/{prize.pk}/draw/",
        {
            "entries_open_at": f"{soon(seconds=2):%Y-%m-%d %H:%M:%S}",
            "entries_close_at": f"{soon(hours=2):%Y-%m-%d %H:%M:%S}",
            "entry_by": "ticket",
        },
        follow=True,
    )
    draw = FairDraw.objects.get()
    assert (draw.entry_by, draw.terms["entry_by"]) == ("ticket", "ticket"), answer.content
    FairDraw.objects.update(entries_open_at=soon(seconds=-9))

    ticket = make_benefit(
        **TICKET, detail={"draw": draw.public_id}, status="draft", claimable_until=soon(hours=3)
    )
    assert "nothing else is one" in make_ticket_release(client, ticket, mode="credits")
    make_ticket_release(client, ticket, mode="draw")
    release = ticket.releases.get()
    client.post(f"/console/benefits/release/{release.pk}/stock/", {"current": 0, "target": 5})
    assert "entries close" in press(client, "editor", "submit", ticket)
    Benefit.objects.filter(pk=ticket.pk).update(claimable_until=draw.entries_close_at)
    press(client, "editor", "submit", ticket)
    for action in ("approve", "open_now"):
        press(client, "approver", action, ticket)
    ticket.refresh_from_db()
    assert ticket.status == "live"
    assert claim(alice, release).state == "granted"
    assert DrawEntry.objects.get().member == alice
    enter(client, "support")
    entry = DrawEntry.objects.get()
    found = client.get(f"/console/benefits/claim/?q={entry.public_id}").content.decode()
    assert entry.ticket.public_id in found
    assert (
        entry.ticket.public_id
        not in client.get("/console/benefits/claim/?q=ent_0").content.decode()
    )
    enter(client, "editor")
    shown = client.get(f"/console/benefits/fairdraw/{draw.pk}/change/")
    assert "by ticket only" in shown.content.decode()
