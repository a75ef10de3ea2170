"""Fair draws: announce, enter, close, draw, claim, tell. Each step is a commit of its own.

The order of publishing is the fairness: the commitment before the first entry, the list of entries
at the close, the secret only after the list. Several workers may run the drain and any of them may
die: a draw's row is locked while one works on it, and every step says in the row that it was done.
"""

import logging
import secrets
import time
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from benefits import queries, verify_drop
from benefits.errors import DrawRefused, EntriesClosed, NotStarted, TicketNeeded
from benefits.models import Benefit, Claim, DrawEntry, FairDraw, Release
from benefits.models.release import Fulfilment
from benefits.services.claims import claim_benefit
from benefits.services.draw_notices import tell_some
from benefits.services.ticket_endings import pay_back_tickets
from zone.core import vault
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.failpoints import failpoint
from zone.core.ids import new_public_id
from zone.core.nudge import nudge
from zone.core.stuck import Attempts
from zone.members.models import Member

CHUNK_ENTRIES = 20
# Of one drain, for telling a million how it went: whoever is paid back waits no longer for it.
SHARE_SECONDS_MAX = 30.0
# What a prize may be worth by law, in minor units (SAMR Order 32 of 2020, article 14).
PRIZE_WORTH_MAX = {"CNY": 50_000_00}
_PURPOSE = "benefits-draw-secret"

State, EntryState = FairDraw.State, DrawEntry.State
log = logging.getLogger(__name__)


def announce_draw(
    *,
    release: Release,
    entries_open_at: datetime,
    entries_close_at: datetime,
    beacon_name: str = "",
    entry_by: str = FairDraw.EntryBy.MEMBER,
    actor: str,
    now: datetime,
) -> FairDraw:
    """A release that has not opened is given out by lot, under terms that stand from now on.

    The release opens when entries close; until the draw is done only its winners may claim. A
    member wins at most as often as the release lets one member claim from it.

    Raises DrawRefused for a release that opened, has claims or no stock, for a window that is no
    window, for a release that has a draw, and for a prize that must not be one.
    """
    if not now <= entries_open_at < entries_close_at:
        raise DrawRefused(why=_("the window for entries must lie ahead."))
    with transaction.atomic():
        locked = Release.objects.select_for_update().select_related("benefit").get(pk=release.pk)
        if locked.opens_at <= now or Claim.objects.filter(release=locked).exists():
            raise DrawRefused(why=_("the release is open already."))
        if locked.closes_at is not None and locked.closes_at <= entries_close_at:
            raise DrawRefused(why=_("the release closes before its entries do."))
        if not locked.stock:
            raise DrawRefused(why=_("the release has no stock."))
        if FairDraw.objects.filter(release=locked).exists():
            raise DrawRefused(why=_("the release has a draw."))
        _refuse_as_prize(locked)
        # What a member is admitted by here is the lot, not how fast they were.
        locked.opens_at, locked.is_hot = entries_close_at, False
        locked.save(update_fields=["opens_at", "is_hot"])
        secret, public_id = secrets.token_hex(32), new_public_id("drw")
        terms = {
            "draw": public_id,
            "benefit": locked.benefit.slug,
            "release": locked.public_id,
            "winners_max": locked.stock,
            "entries_open_at": entries_open_at.isoformat(),
            "entries_close_at": entries_close_at.isoformat(),
            "beacon_name": beacon_name,
            "entry_by": entry_by,
            "wins_per_member": locked.per_member,
        }
        return FairDraw.objects.create(
            public_id=public_id,
            release=locked,
            entries_open_at=entries_open_at,
            entries_close_at=entries_close_at,
            winners_max=locked.stock,
            beacon_name=beacon_name,
            entry_by=entry_by,
            terms=terms,
            commitment=verify_drop.commitment_of(terms, secret),
            secret_sealed=vault.wrap(secret.encode(), purpose=_PURPOSE),
            created_at=now,
            actor=actor,
        )


def _refuse_as_prize(release: Release) -> None:
    """Raises DrawRefused for a ticket of another draw, and for what the law finds too much."""
    if release.mode == Fulfilment.DRAW:
        raise DrawRefused(why=_("a ticket is no prize."))
    benefit = release.benefit
    worth_max = PRIZE_WORTH_MAX.get(benefit.unit_cost_currency)
    if worth_max is not None and benefit.unit_cost > worth_max:
        raise DrawRefused(
            why=_("a prize is worth %(amount)s at most.")
            % {"amount": f"{benefit.unit_cost_currency} {worth_max // 100:,}"}
        )


def enter_draw(*, member: Member, draw: FairDraw, now: datetime) -> DrawEntry:
    """The member's one entry. Safe to repeat: asking again, or faster, changes no odds.

    Raises TicketNeeded where tickets alone are entries, EntriesClosed outside the window, and what
    a claim would be refused with.
    """
    if draw.entry_by == FairDraw.EntryBy.TICKET:
        raise TicketNeeded()
    if refusal := queries.get_member_refusal(member=member, benefit=draw.release.benefit, now=now):
        raise refusal
    with transaction.atomic():
        # Shared with other entries; the close waits for it and then sees the entry.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, entries_open_at, entries_close_at, clock.at"
                " FROM benefits_fairdraw, LATERAL (SELECT zone_now() AS at) clock"
                " WHERE id = %s FOR KEY SHARE OF benefits_fairdraw",
                [draw.pk],
            )
            state, opens_at, closes_at, at = cursor.fetchone()
        if state != State.OPEN or not opens_at <= at < closes_at:
            raise EntriesClosed()
        DrawEntry.objects.bulk_create(
            [DrawEntry(draw=draw, member=member, entered_at=at)], ignore_conflicts=True
        )
        return DrawEntry.objects.get(draw=draw, member=member)


def cancel_draw(*, draw: FairDraw, actor: str, now: datetime) -> None:
    """No draw takes place; the release is open to everyone from its hour on.

    Its tickets end, and the worker pays them back, each once.

    Raises DrawRefused once the secret is out: a draw whose outcome is known cannot be undone.
    """
    with transaction.atomic():
        # Entries that are being made hold the row in share: they are in it before it is called off.
        locked = FairDraw.objects.select_for_update().get(pk=draw.pk)
        if locked.state not in (State.OPEN, State.CLOSED) or locked.secret:
            raise DrawRefused(why=_("it has been drawn."))
        locked.state, locked.finished_at = State.CANCELED, now
        locked.save(update_fields=["state", "finished_at"])
    log.info("draw canceled", extra={"draw": draw.public_id, "actor": actor})
    nudge("benefits.tasks.drain_draws")


def set_beacon(*, draw: FairDraw, value: str, actor: str) -> None:
    """The outside value that was announced has become known. Raises DrawRefused: once only."""
    changed = (
        FairDraw.objects.filter(pk=draw.pk, state=State.CLOSED, beacon="")
        .exclude(beacon_name="")
        .update(beacon=value.strip())
    )
    if not changed:
        raise DrawRefused(why=_("no outside value is awaited."))
    log.info("draw's outside value", extra={"draw": draw.public_id, "actor": actor})
    nudge("benefits.tasks.drain_draws")


def drain_draws() -> int:
    """Bring every draw as far as it can go now. Returns how many winners claimed.

    Safe to kill and to run in several processes: one works on a draw, the others pass it by.
    """
    won = 0
    attempts = Attempts("draws")
    _call_off_without_prize(attempts)
    due = FairDraw.objects.filter(
        state__in=FairDraw.LIVE_STATES, entries_close_at__lte=database_now()
    ).exclude(pk__in=attempts.left_out)
    for draw_id in list(due.order_by("entries_close_at").values_list("pk", flat=True)):
        try:
            with attempts.at(draw_id):
                won += run_draw(draw_id)
        except ZoneError as refusal:
            # Our records cannot answer now; the next round goes on where this one stopped.
            log.warning("draw waits", extra={"draw": draw_id, "error_code": refusal.code})
    stops_at = time.monotonic() + SHARE_SECONDS_MAX
    waiting = DrawEntry.objects.filter(draw=OuterRef("pk"), told_at=None)
    untold = FairDraw.objects.filter(Exists(waiting), state=State.DONE)
    for draw in untold.exclude(pk__in=attempts.left_out):
        with attempts.at(draw.pk):
            while tell_some(draw) and time.monotonic() < stops_at:
                pass
    pay_back_tickets(seconds_max=SHARE_SECONDS_MAX)
    return won


def _call_off_without_prize(attempts: Attempts) -> None:
    """A draw that tickets were sold for is called off when nobody can have its prize any more."""
    now = database_now()
    prize_is_gone = (
        Q(release__benefit__status=Benefit.Status.ENDED)
        | Q(release__benefit__visible_until__lte=now)
        | Q(release__benefit__claimable_until__lte=now)
        | Q(release__closes_at__lte=now)
        | Q(release__stock=0)
    )
    vain = FairDraw.objects.filter(
        prize_is_gone,
        state__in=[State.OPEN, State.CLOSED],
        secret="",
        entry_by=FairDraw.EntryBy.TICKET,
    )
    for draw in vain.exclude(pk__in=attempts.left_out):
        with attempts.at(draw.pk):
            try:
                cancel_draw(draw=draw, actor="worker", now=now)
            except DrawRefused:
                continue  # Somebody was first.


def run_draw(draw_id: int) -> int:
    """Close, draw and let winners claim; how many did."""
    won = 0
    while True:
        with transaction.atomic():
            draw = (
                FairDraw.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("release__benefit")
                .filter(pk=draw_id)
                .first()
            )
            if draw is None:
                return won  # Another worker is at it.
            if draw.state == State.OPEN:
                _close(draw)
            elif draw.state == State.CLOSED and (draw.beacon or not draw.beacon_name):
                _reveal(draw)
            elif draw.state == State.DRAWING:
                won += _claim_some(draw)
            else:
                return won
            failpoint("draw_before_commit")


def _close(draw: FairDraw) -> None:
    """No entry comes after this; the list is published before the secret is."""
    entries = list(draw.entries.values_list("public_id", flat=True))
    draw.entry_count, draw.entries_root = len(entries), verify_drop.root_of(entries)
    draw.state, draw.closed_at = State.CLOSED, database_now()
    draw.save(update_fields=["entry_count", "entries_root", "state", "closed_at"])


def _reveal(draw: FairDraw) -> None:
    """Secret and seed are public, and every entry has its place."""
    draw.secret = vault.unwrap(draw.secret_sealed, purpose=_PURPOSE).decode()
    draw.seed = verify_drop.seed_of(draw.secret, draw.entries_root, draw.beacon)
    entries = list(draw.entries.values_list("public_id", flat=True))
    if verify_drop.root_of(entries) != draw.entries_root:
        raise RuntimeError(f"the entries of {draw.public_id} are not those that were published")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE benefits_drawentry entry SET rank = drawn.place"
            " FROM unnest(%s::text[]) WITH ORDINALITY AS drawn (public_id, place)"
            " WHERE entry.public_id = drawn.public_id AND entry.draw_id = %s",
            [verify_drop.order_of(entries, draw.seed), draw.pk],
        )
    draw.state, draw.drawn_at = State.DRAWING, database_now()
    draw.save(update_fields=["secret", "seed", "state", "drawn_at"])


def _claim_some(draw: FairDraw) -> int:
    """The next in the order claim, each as they would have themselves; then perhaps it is over.

    Whoever cannot claim is passed over with the reason, and the next one takes their place.
    """
    room = draw.winners_max - draw.winner_count
    waiting = list(
        draw.entries.filter(state=EntryState.ENTERED)
        .select_related("member__wallet", "ticket")
        .order_by("rank")[: min(CHUNK_ENTRIES, room)]
    )
    if not waiting:
        draw.entries.filter(state=EntryState.ENTERED).update(state=EntryState.LOST)
        draw.state, draw.finished_at = State.DONE, database_now()
        draw.save(update_fields=["state", "finished_at"])
        return 0
    won = 0
    for entry in waiting:
        won += _claim_for(draw, entry)
        failpoint("draw_after_claim")
    draw.winner_count += won
    draw.save(update_fields=["winner_count"])
    return won


def _claim_for(draw: FairDraw, entry: DrawEntry) -> bool:
    """Won with its claim, or passed over. Raises a refusal that may be none in a moment."""
    if bar := _find_bar(draw, entry):
        DrawEntry.objects.filter(pk=entry.pk).update(state=EntryState.PASSED, reason=bar)
        return False
    # Said first: the database lets nobody else claim from this release.
    DrawEntry.objects.filter(pk=entry.pk).update(state=EntryState.WON)
    try:
        with transaction.atomic():
            made = claim_benefit(
                member=entry.member,
                release=draw.release,
                op_id=entry.op_id,
                now=database_now(),
                actor=f"draw:{draw.public_id}",
            )
    except ZoneError as refusal:
        if refusal.is_retryable or isinstance(refusal, NotStarted):
            raise  # Somebody moved the release's hour: winners keep their places until then.
        DrawEntry.objects.filter(pk=entry.pk).update(
            state=EntryState.PASSED, reason=refusal.code[:40]
        )
        return False
    DrawEntry.objects.filter(pk=entry.pk).update(claim=made)
    return True


def _find_bar(draw: FairDraw, entry: DrawEntry) -> str:
    """What keeps this entry from winning, whoever it is: a ticket taken away, wins enough."""
    if entry.ticket is None:
        return ""
    if entry.ticket.state != Claim.State.GRANTED:
        return "ticket_revoked"
    had = draw.entries.filter(member_id=entry.member_id, state=EntryState.WON).count()
    return "limit_reached" if had >= draw.wins_max else ""
