"""Short verbs that the stories of gifts with friends are told with."""

from benefits.models import GroupGift, GroupPart
from benefits.services import group_gifts, group_parts
from credits.queries import get_balance
from tests.benefits.factories import give_credits, make_benefit, make_release
from tests.factories import bind, make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7

PRICE = 30


def make_friend(credits=100, **fields):
    """A bound member with credits of their own."""
    member = make_member(**fields)
    bind(member)
    give_credits(member, credits)
    return member


def make_priced_release(*, codes=2, price=PRICE, **fields):
    return make_release(make_benefit(price_credits=price, **fields), codes=codes)


def start(starter, release, *, amount=10, **fields):
    values = {
        "op_id": uuid7(), "now": database_now(), "price": PRICE, "days": 7, "theme": "pink",
        "words": "For you", "signed_by": "Ann", "receiver_name": "Zoe",
    }  # fmt: skip
    release = type(release).objects.select_related("benefit").get(pk=release.pk)
    return group_gifts.start_group(
        starter=starter, release=release, amount=amount, **{**values, **fields}
    )


def put_in(group, member, amount, **fields):
    values = {"op_id": uuid7(), "now": database_now(), "signed_by": "Friend"}
    return group_parts.put_in(group=group, member=member, amount=amount, **{**values, **fields})


def take_back(group, member):
    return group_gifts.take_back(group=group, member=member, now=database_now())


def call_off(group, actor="member:x", **fields):
    return group_gifts.call_off(group=group, actor=actor, now=database_now(), **fields)


def wallet_of(member):
    """What the member can spend, and what is set aside."""
    balance = get_balance(member)
    return balance.available, balance.held


def standing(group):
    group = GroupGift.objects.get(pk=group.pk)
    return group.state, group.collected


def parts_of(group):
    rows = GroupPart.objects.filter(group=group).order_by("id")
    return list(rows.values_list("amount", "state", "refunded"))
