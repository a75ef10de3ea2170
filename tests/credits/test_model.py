"""Random verbs in random order: the ledger and a plain-Python model never disagree."""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from credits import errors, ledger
from credits.kinds import Funding
from credits.queries import expiry_of, get_balance
from tests.credits.conftest import broken, rows
from tests.credits.model import Model, Refused
from tests.factories import make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7

STEPS = int(os.environ.get("LEDGER_STEPS", "10000"))
SEED = int(os.environ.get("LEDGER_SEED", "1"))
STEPS_PER_RUN = 50
STEPS_PER_TRANSACTION = 2_000  # What is rolled back stays in the tables until it ends.
VERIFY_EVERY = 500
MONTHS_AHEAD = 8  # have their partition; the ledger makes the others when a clock gets there
READ_EVERY = 10  # steps, for the balance as a page reads it
FREEZE_EVERY = 8  # steps at most: a frozen member does little
AMOUNTS = st.integers(min_value=1, max_value=60)


class LedgerMachine(RuleBasedStateMachine):
    """One member, one model, one clock that only goes forward."""

    steps = verified_at = 0
    turn = 0  # of this run

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.savepoint()
        self.member = make_member()
        self.passed = timedelta(0)
        self.model = Model(floor=self._floor())
        self.closed_holds: list[UUID] = []

    def teardown(self) -> None:
        """Every run starts from the same day: travel and entries are undone with the savepoint.

        Before that the books are verified, when so many steps have gone by since the last time.
        """
        if not hasattr(self, "savepoint"):
            return
        cls = LedgerMachine
        if cls.steps - cls.verified_at >= VERIFY_EVERY:
            cls.verified_at = cls.steps
            assert broken() == []
        transaction.savepoint_rollback(self.savepoint)

    @rule(
        amount=st.integers(min_value=1, max_value=200),
        months=st.integers(0, 4),
        funding=st.sampled_from(Funding),
    )
    def earn(self, amount: int, months: int, funding: Funding) -> None:
        op, key = uuid7(), self.model.floor + 2 * months + funding
        self._both(
            lambda: self.model.earn(op, key, amount),
            lambda: ledger.earn(
                member_id=self.member.pk,
                op_id=op,
                amount=amount,
                until=expiry_of(key),
                funding=funding,
            ),
        )

    @rule(amount=AMOUNTS)
    def spend(self, amount: int) -> None:
        op = uuid7()
        self._both(
            lambda: self.model.spend(op, amount),
            lambda: ledger.spend(member_id=self.member.pk, op_id=op, amount=amount),
        )

    @rule(amount=AMOUNTS)
    def hold(self, amount: int) -> None:
        op = uuid7()
        self._both(
            lambda: self.model.hold(op, amount),
            lambda: ledger.hold(member_id=self.member.pk, op_id=op, amount=amount),
        )

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), amount=AMOUNTS)
    def capture(self, data: st.DataObject, amount: int) -> None:
        hold_op, op = data.draw(st.sampled_from(sorted(self.model.holds))), uuid7()
        if self._both(
            lambda: self.model.capture(hold_op, op, amount),
            lambda: ledger.capture(
                member_id=self.member.pk, hold_op=hold_op, op_id=op, amount=amount
            ),
        ):
            self.closed_holds.append(hold_op)

    @precondition(lambda self: self.model.holds or self.closed_holds)
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        hold_op = data.draw(st.sampled_from(sorted(self.model.holds) + self.closed_holds))
        if self._both(
            lambda: self.model.void(hold_op),
            lambda: ledger.void(member_id=self.member.pk, hold_op=hold_op, op_id=uuid7()),
        ):
            self.closed_holds.append(hold_op)

    @precondition(lambda self: self.model.spent)
    @rule(data=st.data(), amount=AMOUNTS)
    def refund(self, data: st.DataObject, amount: int) -> None:
        orig = data.draw(st.sampled_from(sorted(self.model.spent)))
        self._both(
            lambda: self.model.refund(orig, amount),
            lambda: ledger.refund(
                member_id=self.member.pk, op_id=uuid7(), orig_op=orig, amount=amount
            ),
        )

    @precondition(lambda self: self.model.earned)
    @rule(data=st.data(), amount=AMOUNTS)
    def clawback(self, data: st.DataObject, amount: int) -> None:
        orig = data.draw(st.sampled_from(sorted(self.model.earned)))
        self._both(
            lambda: self.model.clawback(orig, amount),
            lambda: ledger.clawback(
                member_id=self.member.pk, op_id=uuid7(), orig_op=orig, amount=amount
            ),
        )

    @precondition(lambda self: not self.model.is_frozen and self.turn % FREEZE_EVERY == 0)
    @rule()
    def freeze(self) -> None:
        ledger.freeze(member_id=self.member.pk, reason="model", actor="operator:test")
        self.model.is_frozen = True

    @precondition(lambda self: self.model.is_frozen)
    @rule()
    def thaw(self) -> None:
        ledger.thaw(member_id=self.member.pk, reason="model", actor="operator:test")
        self.model.is_frozen = False

    @rule(days=st.integers(1, 45))
    def time_passes(self, days: int) -> None:
        self.passed += timedelta(days=days)
        rows("SELECT set_config('zone.clock_offset', %s, false)", [f"{self.passed.days} days"])
        self.model.floor = self._floor()

    @rule()
    def sweep(self) -> None:
        while ledger.expire_batch():
            pass

    @invariant()
    def ledger_and_model_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        stored = rows(
            "SELECT held, debt, bucket_keys, bucket_left FROM ledger.account WHERE member_id = %s",
            [self.member.pk],
        )
        held, debt, keys, amounts = stored[0] if stored else (0, 0, [], [])
        assert (held, debt) == (self.model.held, self.model.debt)
        live = {k: n for k, n in zip(keys, amounts, strict=True) if k >= self.model.floor}
        assert live == self.model.live()
        if self.turn % READ_EVERY == 0:
            balance = get_balance(self.member)
            assert (balance.available, balance.held, balance.debt) == (
                self.model.available,
                self.model.held,
                self.model.debt,
            )
        self.turn += 1
        LedgerMachine.steps += 1

    def _both(self, model: Callable[[], None], real: Callable[[], Any]) -> bool:
        expected = "ok"
        try:
            model()
        except Refused as refusal:
            expected = str(refusal)
        try:
            said = real().code
        except errors.LedgerError as refusal:
            said = refusal.code
        assert said == expected
        return said == "ok"

    def _floor(self) -> int:
        floor: int = rows(
            "SELECT ledger.month_number((zone_now() AT TIME ZONE 'Asia/Shanghai')::date) * 2"
        )[0][0]
        return floor


def _run(machine_seed: int) -> None:
    """About `STEPS_PER_TRANSACTION` steps, in runs of up to fifty, that follow from the seed."""
    today = database_now().date()
    ledger.make_partitions(today, today + timedelta(days=30 * MONTHS_AHEAD))
    run_state_machine_as_test(
        seed(machine_seed)(LedgerMachine),
        settings=settings(
            max_examples=STEPS_PER_TRANSACTION // STEPS_PER_RUN,
            stateful_step_count=STEPS_PER_RUN,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_ledger_agrees_with_the_model(django_db_setup, django_db_blocker):
    """`LEDGER_STEPS` verbs at least; `LEDGER_SEED` chooses others."""
    LedgerMachine.steps = LedgerMachine.verified_at = 0
    number = SEED
    with django_db_blocker.unblock():
        while LedgerMachine.steps < STEPS:
            print(f"LEDGER_SEED={number}")  # noqa: T201  pytest shows it when the test fails
            with transaction.atomic():
                _run(number)
                transaction.set_rollback(True)
            number += 1
    assert LedgerMachine.verified_at > STEPS - 2 * VERIFY_EVERY - STEPS_PER_RUN
