"""Cause and effect, both ways: a purchase, its credits, what they paid for, what that saved."""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from benefits.group_queries import get_group, list_groups_named
from benefits.models import Claim
from benefits.queries.saved import Saved, find_saved
from credits.queries.journal import EntryLine, expiry_of
from credits.queries.trail import Share, Trail, trace_source, trace_use
from credits.statement import row_of
from zone.core.errors import NotFound
from zone.core.http import private
from zone.core.ids import public_id_of, uuid_of
from zone.history.models import Charge
from zone.members.models import Member


@dataclass(frozen=True, slots=True)
class Stop:
    """One end of the trail: an entry in words, with the credits by the day they end."""

    title: Any
    line: EntryLine
    amount: int
    shares: list[Share]
    link: str
    claim: Claim | None = None
    saved: Saved | None = None


@require_GET
def trail(request: HttpRequest, public_id: str) -> HttpResponse:
    """From one of the member's purchases forward, or back from what they claimed or paid a part of."""
    member: Member = request.member  # type: ignore[attr-defined]
    if public_id.startswith("txn_"):
        context = _from_charge(member, public_id)
    elif public_id.startswith("clm_"):
        context = _from_claim(member, public_id)
    elif public_id.startswith("ggf_"):
        context = _from_group(member, public_id)
    else:
        raise Http404
    return private(render(request, "benefits/trail.html", context))


def _from_charge(member: Member, public_id: str) -> dict[str, Any]:
    try:
        key = uuid_of(public_id)
    except ValueError as error:
        raise Http404 from error
    charge = Charge.objects.filter(pk=key, member=member).first()
    if charge is None or public_id_of("txn", key) != public_id:
        raise Http404
    found = trace_source(member, public_id, since=charge.paid_at)
    return {
        "tab": "credits",
        "charge": charge,
        "trail": found,
        "left": [(expiry_of(bucket), amount) for bucket, amount in found.left.items()],
        "stops": _stops(member, found, by_use=True),
        "back": f"/activity/{public_id}",
    }


def _from_claim(member: Member, public_id: str) -> dict[str, Any]:
    claim = (
        Claim.objects.select_related("benefit")
        .prefetch_related("benefit__texts")
        .filter(member=member, public_id=public_id)
        .first()
    )
    if claim is None:
        raise Http404
    found = trace_use(member, public_id, since=claim.created_at)
    return {
        "tab": "credits",
        "claim": claim,
        "text": claim.benefit.text(),
        "saved": find_saved(claim),
        "trail": found,
        "stops": _stops(member, found, by_use=False),
        "back": f"/me/benefits/{public_id}",
    }


def _from_group(member: Member, public_id: str) -> dict[str, Any]:
    try:
        group = get_group(member=member, public_id=public_id)
    except NotFound as error:
        raise Http404 from error
    found = trace_use(member, public_id, since=group.created_at)
    return {
        "tab": "credits",
        "group": group,
        "text": group.release.benefit.text(),
        "trail": found,
        "stops": _stops(member, found, by_use=False),
        "back": f"/gifts/together/{public_id}",
    }


def _stops(member: Member, found: Trail, *, by_use: bool) -> list[Stop]:
    """The other ends, in the order of the journal; each claim with its name and what it saved."""
    by_seq: dict[int, list[Share]] = {}
    for share in found.shares:
        by_seq.setdefault((share.use if by_use else share.source).seq, []).append(share)
    lines = {
        line.seq: line
        for share in found.shares
        for line in (share.use if by_use else share.source,)
    }
    names = {line.related for line in lines.values() if line.related.startswith("clm_")}
    claims = {
        claim.public_id: claim
        for claim in Claim.objects.select_related("benefit")
        .prefetch_related("benefit__texts")
        .filter(member=member, public_id__in=names)
    }
    groups = {
        group.public_id: group
        for group in list_groups_named({line.related for line in lines.values()})
    }
    stops = []
    for seq in sorted(by_seq):
        line, row = lines[seq], row_of(lines[seq])
        claim, group = claims.get(line.related), groups.get(line.related)
        benefit = claim.benefit if claim else group.release.benefit if group else None
        text = benefit.text() if benefit else None
        stops.append(
            Stop(
                title=text.title if text else row.title,
                line=line,
                amount=sum(share.amount for share in by_seq[seq]),
                shares=by_seq[seq],
                link=row.link,
                claim=claim,
                saved=find_saved(claim) if claim else None,
            )
        )
    return stops
