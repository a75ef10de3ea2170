"""The seeding itself: from more than a year ago to now, window by window, in order of time."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benefits.services.drops import make_drops
from benefits.services.endings import expire_claims
from benefits.services.lifecycle import settle_windows
from credits import ledger
from credits.services.earning import drain_earning
from credits.services.standing import settle_bindings
from zone.console.seed import arrivals, catalogue, claims, rewards
from zone.console.seed.catalogue import Published
from zone.console.seed.catalogue_data import DRAW_PREPARED_DAYS
from zone.console.seed.people import YEAR, Person, draw_people
from zone.console.seed.purchases import Told, tell_purchases
from zone.console.seed.travel import away_from_now, travel_to
from zone.core import clock
from zone.core.ids import uuid7
from zone.history.services.ingest import Message, ingest_batch
from zone.members.models import Member, Wallet
from zone.members.sandbox.models import SandboxAccount
from zone.notices.arrivals import welcome_arrivals
from zone.notices.services import mark_all_read

Say = Callable[[str], None]
_MESSAGES_PER_BATCH = 500
_WINDOW, _RECENT_WINDOW = timedelta(days=10), timedelta(days=2)
_RECENT = timedelta(days=14)
_PREPARED_BEFORE = timedelta(days=1)
_READ_BEFORE = timedelta(days=9)
_DROP_DAYS = 14


@dataclass(order=True)
class Event:
    """Something to do at a moment; `order` keeps what shares a moment in the order it was told."""

    at: datetime
    order: int
    act: Callable[[], None] = field(compare=False)


class Seeding:
    """One run: the people, what they did, and how much came of it."""

    def __init__(self, *, scale: float, say: Say) -> None:
        self.now = datetime.now(tz=UTC)
        # Windows of offers open and close at full hours of the markets.
        self.today = self.now.replace(minute=0, second=0, microsecond=0)
        self.say = say
        self.people = draw_people(scale=scale, now=self.now)
        self.by_wish = {(each.wallet, each.number): each for each in self.people}
        self.members: dict[tuple[str, int], Member] = {}
        self.accounts: dict[tuple[str, int], SandboxAccount] = {}
        self.wallets = Wallet.objects.in_bulk({person.wallet for person in self.people})
        self.published: dict[str, Published] = {}
        self.events: list[Event] = []
        self.claims: list[Any] = []
        self.counts: defaultdict[str, int] = defaultdict(int)

    def run(self) -> list[Person]:
        """Live the whole past. Both clocks are back when it returns, whatever happens."""
        told = sorted(
            message for person in self.people for message in tell_purchases(person, self.now)
        )
        self.say(f"{len(self.people)} people and {len(told)} messages drawn")
        self._plan()
        with away_from_now():
            begin = min([self.now - YEAR - timedelta(days=2), *(each.at for each in self.events)])
            self._live(begin, told)
        self._settle_the_present()
        return self.people

    def _plan(self) -> None:
        rewards.set_rules()
        for person in self.people:
            self._add(person.joined_at, partial(self._arrive, person))
            if person.bound_at:
                self._add(person.bound_at, partial(self._bind, person))
            if person.unbound_at:
                self._add(person.unbound_at, partial(self._unbind, person))
        issuer = catalogue.ensure_issuer()
        for offer in catalogue.OFFERS:
            opens_at = self.today + timedelta(days=offer.opens_day)
            at = min(opens_at, self.now) - _PREPARED_BEFORE
            self._add(at, partial(self._publish, offer, issuer))
        at = self.today - timedelta(days=DRAW_PREPARED_DAYS)
        self._add(at, partial(self._publish_draw, issuer))
        for drop in catalogue.all_drops():
            at = self.today - timedelta(days=_DROP_DAYS)
            self._add(at, partial(self._publish_drop, drop, issuer))

    def _add(self, at: datetime, act: Callable[[], None]) -> None:
        self.events.append(Event(at, len(self.events), act))

    def _live(self, begin: datetime, told: list[Told]) -> None:
        place, since = 0, begin
        while since < self.now:
            is_recent = self.now - since <= _RECENT
            until = min(self.now, since + (_RECENT_WINDOW if is_recent else _WINDOW))
            self._act(until)
            start = place
            while place < len(told) and told[place].at <= until:
                place += 1
            travel_to(until)
            self._hear(told[start:place])
            self._keep_house(since, until)
            since = until

    def _act(self, until: datetime) -> None:
        """Do what falls before `until`, in order; doing one thing may add others."""
        while True:
            due = sorted(each for each in self.events if each.at <= until)
            if not due:
                return
            self.events = [each for each in self.events if each.at > until]
            for each in due:
                travel_to(each.at)
                each.act()

    def _hear(self, messages: list[Told]) -> None:
        for first in range(0, len(messages), _MESSAGES_PER_BATCH):
            part = messages[first : first + _MESSAGES_PER_BATCH]
            receipts = ingest_batch([Message(each.wallet, each.path, each.body) for each in part])
            for receipt in receipts:
                self.counts[str(receipt.outcome.value)] += 1
        while not drain_earning().is_empty:
            pass

    def _keep_house(self, since: datetime, until: datetime) -> None:
        """What the workers would have done meanwhile."""
        while welcome_arrivals():
            pass
        while settle_bindings():
            pass
        settle_windows(now=until)
        make_drops()
        expire_claims()
        if since.month != until.month:
            while ledger.expire_batch():
                pass
            self.say(f"{until:%B %Y}: {len(self.members)} members, {len(self.claims)} claims")

    def _arrive(self, person: Person) -> None:
        member, account = arrivals.join(person, self.wallets[person.wallet])
        arrivals.lose_tries(person, member)
        self.members[person.wallet, person.number] = member
        self.accounts[person.wallet, person.number] = account

    def _bind(self, person: Person) -> None:
        key = (person.wallet, person.number)
        arrivals.bind(person, self.members[key], self.accounts[key], self.wallets[person.wallet])

    def _unbind(self, person: Person) -> None:
        account = self.accounts[person.wallet, person.number]
        arrivals.unbind(person, account, self.wallets[person.wallet])

    def _publish(self, offer: catalogue.Offer, issuer: Any) -> None:
        self._open(catalogue.publish_offer(offer, today=self.today, issuer=issuer))

    def _publish_draw(self, issuer: Any) -> None:
        self._open(catalogue.publish_draw(today=self.today, issuer=issuer))

    def _open(self, published: Published) -> None:
        self.published[published.offer.slug] = published
        for wish in claims.draw_wishes([published], self.people, now=self.now):
            self._add(wish.at, partial(self._grant, wish))

    def _publish_drop(self, drop: catalogue.Drop, issuer: Any) -> None:
        published = catalogue.publish_drop(drop, today=self.today, issuer=issuer)
        self.published[drop.offer.slug] = published

    def _grant(self, wish: claims.Wish) -> None:
        key = (wish.wallet, wish.number)
        member = self.members.get(key)
        if member is None:
            return  # They had not joined yet.
        claim = claims.grant_wish(wish, self.by_wish[key], member, self.published[wish.slug])
        if claim is None:
            self.counts["refused claims"] += 1
            return
        self.claims.append(claim)
        claims.live_claim(claim, self.by_wish[key], now=self.now)

    def _settle_the_present(self) -> None:
        while not drain_earning().is_empty:
            pass
        while ledger.expire_batch():
            pass
        up_to = uuid7(clock.now() - _READ_BEFORE)
        for member in self.members.values():
            mark_all_read(member_id=member.pk, up_to=up_to)
        self.say(f"{rewards.open_boards(self.now)} stamp boards opened")
        catalogue.write_bundles()
        self.say(f"{catalogue.draw_pictures()} pictures drawn")
        told = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        self.say(f"{len(self.members)} members, {len(self.claims)} claims; {told}")
