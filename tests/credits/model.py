"""The ledger again, in plain Python: a dict of buckets, nothing clever. Tests compare the two."""

from dataclasses import dataclass, field
from uuid import UUID


class Refused(Exception):
    """The model says no, with the ledger's error code."""


@dataclass
class Spent:
    """A spend or capture: where its credits came from, one per credit, and how many came back."""

    keys: list[int]
    returned: int = 0


@dataclass
class Model:
    """One member. Credits are counted one by one, so that no arithmetic can hide a mistake."""

    floor: int  # the first live bucket key
    buckets: dict[int, int] = field(default_factory=dict)
    debt: int = 0
    held: int = 0
    holds: dict[UUID, list[int]] = field(default_factory=dict)
    spent: dict[UUID, Spent] = field(default_factory=dict)
    earned: dict[UUID, tuple[int, int]] = field(default_factory=dict)  # op: (key, not taken back)
    is_frozen: bool = False

    @property
    def available(self) -> int:
        return sum(amount for key, amount in self.buckets.items() if key >= self.floor)

    def live(self) -> dict[int, int]:
        return {k: n for k, n in sorted(self.buckets.items()) if k >= self.floor and n}

    def earn(self, op: UUID, key: int, amount: int) -> None:
        self._refuse(self.is_frozen, "member_frozen")
        self._put([key] * amount)
        self.earned[op] = (key, amount)

    def spend(self, op: UUID, amount: int) -> None:
        self._refuse(self.is_frozen, "member_frozen")
        self.spent[op] = Spent(self._take(amount))

    def hold(self, op: UUID, amount: int) -> None:
        self._refuse(self.is_frozen, "member_frozen")
        self.holds[op] = self._take(amount)
        self.held += amount

    def capture(self, hold_op: UUID, op: UUID, amount: int) -> None:
        self._refuse(hold_op not in self.holds, "invalid_state")
        keys = self.holds[hold_op]
        self._refuse(amount > len(keys), "amount_exceeds_hold")
        del self.holds[hold_op]
        self.held -= len(keys)
        self.spent[op] = Spent(keys[:amount])
        self._put(keys[amount:])

    def void(self, hold_op: UUID) -> None:
        self._refuse(hold_op not in self.holds, "invalid_state")
        keys = self.holds.pop(hold_op)
        self.held -= len(keys)
        self._put(keys)

    def refund(self, orig: UUID, amount: int) -> None:
        spent = self.spent[orig]
        self._refuse(spent.returned + amount > len(spent.keys), "amount_exceeds_spend")
        end = len(spent.keys) - spent.returned
        spent.returned += amount
        self._put(spent.keys[end - amount : end])

    def clawback(self, orig: UUID, amount: int) -> None:
        key, left = self.earned[orig]
        self._refuse(amount > left, "amount_exceeds_spend")
        self.earned[orig] = (key, left - amount)
        self._lapse()
        own = min(amount, self.buckets.get(key, 0))
        if own:
            self.buckets[key] -= own
        rest = min(amount - own, self.available)
        self._take(rest)
        self.debt += amount - own - rest

    def _take(self, amount: int) -> list[int]:
        self._refuse(self.available < amount, "insufficient_credits")
        self._lapse()
        keys: list[int] = []
        for key in sorted(self.buckets):
            part = min(amount - len(keys), self.buckets[key])
            self.buckets[key] -= part
            keys += [key] * part
        return keys

    def _put(self, keys: list[int]) -> None:
        """Credits come in: the soonest ending ones repay debt, lapsed ones are gone."""
        keys = sorted(keys)
        repaid = min(self.debt, len(keys))
        self.debt -= repaid
        for key in keys[repaid:]:
            self.buckets[key] = self.buckets.get(key, 0) + 1
        self._lapse()

    def _lapse(self) -> None:
        self.buckets = {k: n for k, n in self.buckets.items() if k >= self.floor and n}

    @staticmethod
    def _refuse(is_refused: bool, code: str) -> None:
        if is_refused:
            raise Refused(code)
