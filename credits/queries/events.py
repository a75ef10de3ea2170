"""What happened to members besides purchases, as the rules see it, and what it gave."""

from datetime import datetime
from zoneinfo import ZoneInfo

from credits.models import Invitation, Referral
from credits.queries.earning import read_rule_book, read_usage
from credits.rules import Happening, Usage, Worth, worth_of_event
from zone.members.models import Member


def happening_of(
    member: Member, *, kind: str, at: datetime, subject: str = "", count: int = 1
) -> Happening:
    """What the rules look at, on the member's own day."""
    return Happening(
        kind=kind,
        at=at,
        on=at.astimezone(ZoneInfo(member.time_zone)).date(),
        currency=member.wallet.currency,
        subject=subject,
        count=count,
    )


def preview_events(member: Member, happenings: list[Happening]) -> list[Worth]:
    """A dry run: what these would give the member now, in this order. Writes nothing."""
    book = read_rule_book()
    usage = read_usage([member.pk], [each.on for each in happenings], book)[member.pk]
    worths = []
    for happening in happenings:
        worth = worth_of_event(happening, book, usage)
        usage.add_credits(happening.on, worth.credits)
        worths.append(worth)
    return worths


def preview_referral(member: Member, *, now: datetime) -> int:
    """What the next friend's first purchase would give the member; the page promises it."""
    happening = happening_of(member, kind="referral", at=now)
    return worth_of_event(happening, read_rule_book(), Usage()).credits


def list_referrals(member: Member, *, limit: int = 50) -> list[Referral]:
    """The member's friends, newest first: states and days, never who they are."""
    return list(Referral.objects.filter(inviter=member).order_by("-accepted_at")[:limit])


def find_invitation(code: str) -> Invitation | None:
    return Invitation.objects.select_related("member__wallet").filter(code=code).first()
