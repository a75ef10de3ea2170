"""Short verbs that the stories of gifts are told with."""

from benefits.services import gift_moves, gift_opening, gifts
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.notices.models import Notice


def send(made, **fields):
    values = {"op_id": uuid7(), "now": database_now(), "theme": "pink", "words": "For you"}
    return gifts.send_gift(giver=made.member, claim=made, **{**values, **fields})


def open_(gift, member):
    return gift_opening.open_gift(
        token=gift_moves.read_token(gift), member=member, now=database_now()
    )


def accept(gift, member):
    return gift_opening.accept_gift(gift=gift, member=member, now=database_now())


def told(member):
    return list(Notice.objects.filter(member=member).order_by("id").values_list("kind", flat=True))


def as_is(made):
    made.refresh_from_db()
    return (made.state, made.holds_slot, made.frozen_at, made.valid_until)
