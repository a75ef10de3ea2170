"""Conditions on a member's standing in the programme: lists, tags, trials, claims, tier, devices."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from benefits.conditions.leaves import Step, Timeless
from benefits.conditions.snapshot import Snapshot

EXPERIMENT_PARTS = 1000


@dataclass(frozen=True, slots=True)
class InSegment(Timeless):
    code: str
    source: ClassVar[str] = "segments"
    reason: ClassVar[str] = "segment"

    def holds(self, member: Snapshot) -> bool:
        return self.code in member.segments

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is for invited members.")

    def step(self, member: Snapshot) -> Step | None:
        return None


@dataclass(frozen=True, slots=True)
class Tagged(Timeless):
    """Carries a word that an operator put on the member."""

    tag: str
    source: ClassVar[str] = "tags"
    reason: ClassVar[str] = "tag"

    def holds(self, member: Snapshot) -> bool:
        return self.tag in member.tags

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is for invited members.")

    def step(self, member: Snapshot) -> Step | None:
        return None


@dataclass(frozen=True, slots=True)
class InExperiment(Timeless):
    """In one arm of an experiment: in its parts from `first` to `last`, of a thousand.

    The part follows from the experiment's key and the member alone, so it is the same on every
    page, on every server and for good; another experiment divides the same members anew.
    """

    key: str
    first: int
    last: int
    source: ClassVar[str] = ""
    reason: ClassVar[str] = "experiment"

    def holds(self, member: Snapshot) -> bool:
        return self.first <= part_of(self.key, member.public_id) <= self.last

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is being tried out with other members first.")

    def step(self, member: Snapshot) -> Step | None:
        return None


def part_of(key: str, public_id: str) -> int:
    """Which of an experiment's thousand parts a member is in, from 1: even, and fixed for good.

    The first eight bytes of SHA-256 over `key:public_id`, as a number, modulo 1,000, plus one; so
    whoever evaluates an experiment elsewhere can say the same.
    """
    digest = hashlib.sha256(f"{key}:{public_id}".encode()).digest()
    return int.from_bytes(digest[:8]) % EXPERIMENT_PARTS + 1


@dataclass(frozen=True, slots=True)
class Claimed:
    """How many claims of one benefit, or of any, the member holds: at least, or at most.

    With `days`, only claims made in the last days count.
    """

    benefit: str  # Its address; empty: any benefit.
    least: int | None = None
    most: int | None = None
    days: int | None = None
    source: ClassVar[str] = "claims"
    reason: ClassVar[str] = "claims"

    def holds(self, member: Snapshot) -> bool:
        number = len(member.claims_since(self.benefit, self.days))
        return (self.least is None or number >= self.least) and (
            self.most is None or number <= self.most
        )

    def _missing(self, member: Snapshot) -> int:
        return (self.least or 0) - len(member.claims_since(self.benefit, self.days))

    def changes_at(self, member: Snapshot) -> datetime | None:
        if self.days is None:
            return None
        made = member.claims_since(self.benefit, self.days)
        return made[0] + timedelta(days=self.days) if made else None

    def explain(self, member: Snapshot) -> str:
        if self._missing(member) > 0:
            if self.benefit:
                return _("Another benefit has to be claimed before this one.")
            return _("Other benefits have to be claimed before this one.")
        if self.benefit:
            return _("This is for members who have not claimed a related benefit.")
        return _("You have claimed enough other benefits for now.")

    def step(self, member: Snapshot) -> Step | None:
        gap = self._missing(member)
        if gap > 0:
            return self._claim_more(member, gap)
        return self._wait(member)

    def _claim_more(self, member: Snapshot, gap: int) -> Step:
        made = (*member.claims.get(self.benefit, ()), *((member.now,) * gap))
        after = replace(member, claims={**member.claims, self.benefit: made})
        if self.benefit:
            sentence = _("Claim the benefit that comes before this one")
            href = f"/benefits/{self.benefit}"
        else:
            sentence = ngettext(
                "Claim %(number)s more benefit", "Claim %(number)s more benefits", gap
            ) % {"number": gap}
            href = "/benefits"
        return Step("claim", sentence, 5 * gap, after, gap, subject=self.benefit, href=href)

    def _wait(self, member: Snapshot) -> Step | None:
        """Until enough of the claims are older than the window; without one nothing helps."""
        made = member.claims_since(self.benefit, self.days)
        if self.most is None or self.days is None or len(made) <= self.most:
            return None
        last_too_many = made[len(made) - self.most - 1]
        rest = last_too_many + timedelta(days=self.days) - member.now
        days = max(-(-rest // timedelta(days=1)), 1)
        sentence = ngettext("Wait %(days)s day", "Wait %(days)s days", days) % {"days": days}
        after = replace(member, now=member.now + timedelta(days=days))
        return Step("wait", sentence, 1 + days, after, amount=days)


@dataclass(frozen=True, slots=True)
class TierIs(Timeless):
    """At least one tier, or at most one, by their places on the ladder in force."""

    least: str = ""
    most: str = ""
    source: ClassVar[str] = "tier"
    reason: ClassVar[str] = "tier"

    def holds(self, member: Snapshot) -> bool:
        standing = member.standing
        if standing is None:
            return False  # Without a ladder nobody has reached anything.
        lowest = standing.place_of(self.least) if self.least else 0
        highest = standing.place_of(self.most) if self.most else len(standing.codes)
        if lowest is None or highest is None:
            return False  # A tier that the ladder does not have is nobody's.
        return lowest <= standing.place <= highest

    def explain(self, member: Snapshot) -> str:
        standing = member.standing
        place = standing.place_of(self.least) if standing and self.least else None
        if standing is not None and place is not None and standing.place < place:
            return _("This is for members from %(tier)s up.") % {"tier": standing.names[place]}
        return _("This is for members of another tier.")

    def step(self, member: Snapshot) -> Step | None:
        standing = member.standing
        place = standing.place_of(self.least) if standing and self.least else None
        if standing is None or place is None or standing.place >= place:
            return None
        gap = standing.thresholds[place] - standing.earned
        if gap <= 0:
            return None  # Reached by number and yet not held: the calendar decides, not they.
        sentence = ngettext(
            "Earn %(number)s more credit to reach %(tier)s",
            "Earn %(number)s more credits to reach %(tier)s",
            gap,
        ) % {"number": gap, "tier": standing.names[place]}
        reached = replace(standing, place=place, earned=standing.thresholds[place])
        after = replace(member, standing=reached)
        weight = 6 + gap // 10
        return Step("earn", sentence, weight, after, gap, subject=self.least, href="/credits")


@dataclass(frozen=True, slots=True)
class OnDevices:
    """Seen on at most so many devices in the last days: a crowd behind one account is none of ours."""

    most: int
    days: int
    source: ClassVar[str] = "devices"
    reason: ClassVar[str] = "devices"

    def holds(self, member: Snapshot) -> bool:
        return len(member.devices_since(self.days)) <= self.most

    def changes_at(self, member: Snapshot) -> datetime | None:
        window = timedelta(days=self.days)
        ends = [seen_at + window for _device, seen_at in member.devices]
        return min((end for end in ends if end > member.now), default=None)

    def explain(self, member: Snapshot) -> str:
        return _("This benefit is for members who use fewer devices.")

    def step(self, member: Snapshot) -> Step | None:
        return None
