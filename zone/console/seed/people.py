"""Who there is: drawn from one number, the same for everyone who seeds on the same day."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from django.utils.translation import gettext_noop

from zone.console.seed.names import person_name

SEED_NUMBER = 20_261_101
# Of a thousand people, by wallet.
SHARES = {"ALIPAY_CN": 571, "ALIPAY_HK": 238, "GCASH": 191}
PEOPLE_AT_SCALE_ONE = 420
# A year, and the weeks before it whose credits have ended since.
YEAR = timedelta(days=410)
_LANGUAGES = {
    "ALIPAY_CN": (("zh-hans", 92), ("en", 8)),
    "ALIPAY_HK": (("zh-hant", 70), ("en", 26), ("zh-hans", 4)),
    "GCASH": (("en", 60), ("fil", 40)),
}
_ENTRIES = (("home_card", 5), ("wallet_banner", 3), ("push", 2), ("direct", 2))
_SYSTEMS = (("ios", 9), ("other", 1))
FAILURES = ("USER_CANCELLED", "NO_FUNDING_SOURCE", "REALNAME_REQUIRED", "OTP_FAILED", "NETWORK")


@dataclass
class Person:
    """One person as the seed knows them. Times are UTC."""

    number: int
    wallet: str
    user_id: str
    name: str
    language: str
    is_adult: bool
    joined_at: datetime
    bound_at: datetime | None
    unbound_at: datetime | None
    entry: str
    device_os: str
    # Tries that came to nothing before the one that worked, if one did.
    lost_tries: list[tuple[datetime, str]] = field(default_factory=list)
    why: str = ""

    def dice(self, topic: str) -> Random:
        """A die of this person's own for one topic, so that topics do not shift each other."""
        return Random(f"{SEED_NUMBER}:{self.wallet}:{self.number}:{topic}")  # noqa: S311

    def is_bound_at(self, instant: datetime) -> bool:
        if self.bound_at is None or instant < self.bound_at:
            return False
        return self.unbound_at is None or instant < self.unbound_at


def draw_people(*, scale: float, now: datetime) -> list[Person]:
    """Everybody, wallet by wallet. At least five in each, so that every story is told."""
    total = max(1, round(PEOPLE_AT_SCALE_ONE * scale))
    people: list[Person] = []
    for wallet, share in SHARES.items():
        count = max(5, round(total * share / 1000))
        people += [_draw(wallet, number, now) for number in range(1, count + 1)]
    return people


def _draw(wallet: str, number: int, now: datetime) -> Person:
    dice = Random(f"{SEED_NUMBER}:{wallet}:{number}")  # noqa: S311
    began = now - YEAR
    if dice.random() < 0.6:
        joined_at = began + timedelta(days=dice.uniform(0, 20), hours=dice.uniform(0, 12))
    else:
        joined_at = began + timedelta(days=dice.uniform(20, 408), hours=dice.uniform(0, 12))
    bound_at = joined_at + timedelta(minutes=dice.uniform(1, 90))
    if dice.random() < 0.15:
        bound_at += timedelta(days=dice.uniform(1, 40))
    is_bound = dice.random() < 0.86 and bound_at < now - timedelta(hours=1)
    unbound_at = None
    if is_bound and dice.random() < 0.06:
        unbound_at = bound_at + (now - bound_at) * dice.uniform(0.3, 0.9)
    person = Person(
        number=number,
        wallet=wallet,
        user_id=f"2{'088' if wallet.startswith('ALIPAY') else '177'}{dice.randrange(10**12):012d}",
        name=person_name(wallet, dice),
        language=_pick(dice, _LANGUAGES[wallet]),
        is_adult=dice.random() < 0.95,
        joined_at=joined_at,
        bound_at=bound_at if is_bound else None,
        unbound_at=unbound_at,
        entry=_pick(dice, _ENTRIES),
        device_os=_pick(dice, _SYSTEMS),
    )
    if dice.random() < 0.22 or (not is_bound and dice.random() < 0.5):
        lost_at = joined_at + timedelta(seconds=dice.uniform(20, 55))
        person.lost_tries.append((lost_at, dice.choice(FAILURES)))
    return _tell_own_story(person, now)


def _tell_own_story(person: Person, now: datetime) -> Person:
    """The first people of each wallet are the ones a visitor signs in as."""
    old = now - YEAR + timedelta(days=3, hours=person.number)
    if person.number == 1:
        person.why = gettext_noop("bound for a year: charges, subscriptions, credits, claims")
    elif person.number == 2:
        person.why = gettext_noop("spent credits, then got a refund: credits are owed back")
        old = now - timedelta(days=22)
    elif person.number == 3:
        person.why = gettext_noop("a trial that ends soon, a price rise, a payment overdue")
    elif person.number == 4:
        person.why = gettext_noop("not bound: the way in is open")
        person.joined_at, person.bound_at, person.unbound_at = old, None, None
        return person
    elif person.number == 5:
        person.why = gettext_noop("bound once, unbound since")
        person.joined_at, person.bound_at = old, old + timedelta(minutes=4)
        person.unbound_at = now - timedelta(days=40)
        return person
    else:
        return person
    person.joined_at, person.bound_at, person.unbound_at = old, old + timedelta(minutes=4), None
    person.is_adult = True
    person.lost_tries = []
    return person


def _pick(dice: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    words, weights = zip(*weighted, strict=True)
    chosen: str = dice.choices(words, weights)[0]
    return chosen
