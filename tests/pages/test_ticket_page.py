"""A draw ticket on a phone: its card, the draw it is for, the ticket itself and how it went."""

import re

import pytest

from benefits.models import BenefitText, Claim, DrawEntry, FairDraw
from benefits.services import draws
from benefits.services.endings import revoke_claim
from tests.benefits.factories import claim, give_credits
from tests.benefits.test_draw_tickets import available, buyers, close, make_draw, make_tickets
from tests.factories import sign_in
from tests.pages.test_claim_cost import door as door
from tests.pages.test_rush_door import reader
from tests.pages.test_rush_wsgi import ask
from tests.pages.test_rush_wsgi import server as server
from zone.core.clock import database_now

pytestmark = pytest.mark.django_db


@pytest.fixture
def draw():
    return make_draw(stock=1, slug="prize")


@pytest.fixture
def release(draw):
    return make_tickets(draw, price=20, slug="chance", each=2)


def look(phone, address):
    answer = phone.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def title_of(benefit):
    return benefit.texts.get(language="en").title


def test_its_card_says_what_it_is_and_when_it_is_drawn(alices_phone, alice, draw, release):
    give_credits(alice, 50)
    for address in ("/benefits", "/benefits/chance"):
        page = look(alices_phone, address)
        assert "Draw ticket" in page
        assert "rawn after" in page
        assert 'href="#i-ticket"' in page or "img/ticket.svg" in page
    assert "img/ticket.svg" in page
    assert f"To be won: {title_of(draw.release.benefit)}" in page
    assert f'href="/draws/{draw.public_id}"' in page
    assert "for its draw" in page
    assert "see the code" not in page
    sheet = look(alices_phone, "/benefits/chance/claim")
    assert "80% of the credits back until entries close" in sheet


def test_a_claim_by_the_button_is_an_entry(alices_phone, alice, draw, release):
    give_credits(alice, 50)
    sheet = look(alices_phone, "/benefits/chance/claim")
    form = dict(re.findall(r'name="(op_id|release|price)" value="([^"]+)"', sheet))
    for _ in range(2):  # A second press is the same ticket.
        assert alices_phone.post("/benefits/chance/claim", form).status_code == 302
    made = Claim.objects.get()
    entry = DrawEntry.objects.get(ticket=made)
    page = look(alices_phone, f"/me/benefits/{made.public_id}")
    assert entry.public_id in page
    assert "Drawn after" in page
    assert f'href="/draws/{draw.public_id}"' in page
    assert "Undo until" in page
    assert "Show the code" not in page
    assert "Send to a friend" not in page
    assert "Drawn after" in look(alices_phone, "/me/benefits")
    panel = alices_phone.get(
        f"/me/benefits/{made.public_id}/status", headers={"hx-request": "true"}
    ).content.decode()
    assert "To be won" in panel
    assert "Show the code" not in panel


def test_the_draw_leads_to_its_tickets_and_counts_them(alices_phone, alice, draw, release):
    give_credits(alice, 50)
    page = look(alices_phone, f"/draws/{draw.public_id}")
    assert '<a class="btn btn--block" href="/benefits/chance">Get a ticket</a>' in page
    assert "By ticket, one for each" in page
    assert f'action="/draws/{draw.public_id}/enter"' not in page
    answer = alices_phone.post(f"/draws/{draw.public_id}/enter", follow=True).content.decode()
    assert "This draw is entered with a ticket." in answer
    assert not DrawEntry.objects.exists()
    for _ in range(2):
        claim(alice, release)
    page = look(alices_phone, f"/draws/{draw.public_id}")
    assert "2 tickets of yours" in page
    assert "1 in 2" in page
    assert "2 tickets of yours" not in look_as_stranger(alices_phone, draw)


def look_as_stranger(phone, draw):
    return type(phone)().get(f"/draws/{draw.public_id}").content.decode()


def test_how_it_went_stands_on_the_ticket(client, draw, release):
    members = buyers(2, credits=20)
    tickets = {member.pk: claim(member, release) for member in members}
    close(draw)
    sign_in(client, members[0])
    page = look(client, f"/me/benefits/{tickets[members[0].pk].public_id}/return")
    assert "this ticket stays in the draw" in page
    draws.drain_draws()
    won = DrawEntry.objects.get(state="won")
    for member in members:
        sign_in(client, member)
        page = look(client, f"/me/benefits/{tickets[member.pk].public_id}")
        if won.member_id == member.pk:
            assert "Your ticket won" in page
            assert f'href="/me/benefits/{won.claim.public_id}">Open what you won' in page
        else:
            assert "Not drawn this time" in page
            assert "Open what you won" not in page
        assert "See how it was drawn" in page
        listed = look(client, "/me/benefits?show=used")
        assert ("Your ticket won" if won.member_id == member.pk else "Not drawn") in listed
        told = look(client, "/inbox")
        assert "Your ticket was" in told


def test_a_draw_that_is_called_off_says_that_credits_are_back(client, draw, release):
    (member,) = buyers(1, credits=20)
    made = claim(member, release)
    draws.cancel_draw(draw=draw, actor="operator:x", now=database_now())
    draws.drain_draws()
    sign_in(client, member)
    page = look(client, f"/me/benefits/{made.public_id}")
    assert "What the ticket cost is back in your balance." in page
    assert "20 credits are back in your balance." in look(client, "/inbox")
    assert available(member) == 20
    assert "This draw takes no entries now." in look(client, "/benefits/chance")


def test_a_ticket_taken_away_says_so(client, draw, release):
    (member,) = buyers(1, credits=20)
    made = claim(member, release)
    revoke_claim(claim=made, reason="fraud", actor="operator:x", now=database_now())
    sign_in(client, member)
    assert "not in the draw any more" in look(client, f"/me/benefits/{made.public_id}")


def test_outside_the_window_there_is_no_button(alices_phone, draw, release):
    FairDraw.objects.filter(pk=draw.pk).update(
        entries_close_at=database_now(), entries_open_at=draw.created_at
    )
    page = look(alices_phone, "/benefits/chance")
    assert 'href="/benefits/chance/claim"' not in page


def test_what_can_be_won_is_told_in_the_readers_language(client, draw, release):
    BenefitText.objects.create(
        benefit=draw.release.benefit, language="zh-hans", title="满一百减一百", terms="一次。"
    )
    (member,) = buyers(1, credits=20)
    member.language = "zh-hans"
    member.save(update_fields=["language"])
    made = claim(member, release)
    sign_in(client, member)
    client.cookies["django_language"] = "zh-hans"
    page = client.get(
        f"/me/benefits/{made.public_id}", headers={"accept-language": "zh-CN"}
    ).content.decode()
    assert "奖品：满一百减一百" in page
    assert "后开签" in page


def test_a_ticket_of_a_rush_is_served_by_the_page(server, door, draw):
    """Its claim is more than the door in front knows how to make."""
    release = make_tickets(draw, tickets=9)
    type(release).objects.filter(pk=release.pk).update(is_hot=True)
    members = [reader() for _ in range(3)]
    for member in members:
        status, _headers, body = ask(server, member, release)
        assert status.startswith("200")
        assert b"All yours" in body
        assert b"To be won" in body
    assert server.asked == 3
    assert DrawEntry.objects.filter(member__in=members).count() == 3
