"""Bad input to every verb: a typed refusal, and not a byte written.

One table for what an amount, a member, an account and an operation id can be; each cell says what
the verb answers. `None` stands for "this is allowed".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from credits import errors, ledger
from tests.credits.conftest import rows, standing
from tests.factories import make_member
from zone.core.ids import uuid7

UNKNOWN = 10**12
Verb = Callable[..., Any]


@dataclass
class Stage:
    """A member with something to undo: earned 100, spent 30, 20 of them held twice."""

    member: int
    earned: UUID
    spent: UUID
    holds: list[UUID]


@pytest.fixture
def stage(alice) -> Stage:
    made = Stage(alice.pk, uuid7(), uuid7(), [uuid7(), uuid7()])
    ledger.earn(member_id=alice.pk, op_id=made.earned, amount=100)
    ledger.spend(member_id=alice.pk, op_id=made.spent, amount=30)
    for hold in made.holds:
        ledger.hold(member_id=alice.pk, op_id=hold, amount=20)
    return made


def _batch(*, member_id: Any, op_id: Any, amount: Any) -> Any:
    [answer] = ledger.earn_batch([ledger.Earn(member_id=member_id, op_id=op_id, amount=amount)])
    if isinstance(answer, errors.LedgerError):
        raise answer
    return answer


# Each verb as (stage, member, op, amount) -> answer. A second call with another amount, or for
# void with another hold, is the same operation used for something else.
VERBS: dict[str, Verb] = {
    "earn": lambda s, m, op, n: ledger.earn(member_id=m, op_id=op, amount=n),
    "earn_batch": lambda s, m, op, n: _batch(member_id=m, op_id=op, amount=n),
    "spend": lambda s, m, op, n: ledger.spend(member_id=m, op_id=op, amount=n),
    "hold": lambda s, m, op, n: ledger.hold(member_id=m, op_id=op, amount=n),
    "capture": lambda s, m, op, n: ledger.capture(
        member_id=m, hold_op=s.holds[0], op_id=op, amount=n
    ),
    "void": lambda s, m, op, n: ledger.void(member_id=m, hold_op=s.holds[n % 2], op_id=op),
    "refund": lambda s, m, op, n: ledger.refund(member_id=m, op_id=op, orig_op=s.spent, amount=n),
    "clawback": lambda s, m, op, n: ledger.clawback(
        member_id=m, op_id=op, orig_op=s.earned, amount=n
    ),
    "adjust": lambda s, m, op, n: ledger.adjust(member_id=m, op_id=op, amount=n),
}
WITH_AMOUNT = [verb for verb in VERBS if verb != "void"]


def _is_unchanged(member: int, verb: Callable[[], Any], refusal: type[Exception]) -> None:
    everything = "SELECT count(*) FROM ledger.entry UNION ALL SELECT count(*) FROM ledger.account"
    before = standing(member), rows(everything)
    with pytest.raises(refusal):
        verb()
    assert (standing(member), rows(everything)) == before


@pytest.mark.parametrize("amount", [-1, 0, 2**31, -(2**31), 1.0, 0.5, True, "1"])
@pytest.mark.parametrize("verb", WITH_AMOUNT)
def test_an_amount_is_a_whole_number_within_bounds(stage, verb, amount):
    if verb == "adjust" and amount == -1:
        assert VERBS[verb](stage, stage.member, uuid7(), amount).code == "ok"
        return
    _is_unchanged(
        stage.member,
        lambda: VERBS[verb](stage, stage.member, uuid7(), amount),
        errors.InvalidAmount,
    )


@pytest.mark.parametrize("member", [UNKNOWN, 0, -1, 2**63, True, "1", None])
@pytest.mark.parametrize(
    ("verb", "refusal"),
    [
        *(
            (verb, errors.UnknownMember)
            for verb in ("earn", "earn_batch", "spend", "hold", "adjust")
        ),
        *((verb, errors.HoldNotFound) for verb in ("capture", "void")),
        *((verb, errors.OriginalNotFound) for verb in ("refund", "clawback")),
    ],
)
def test_a_member_who_does_not_exist(stage, verb, refusal, member):
    if member != UNKNOWN:
        refusal = errors.UnknownMember  # Not even a key.
    _is_unchanged(stage.member, lambda: VERBS[verb](stage, member, uuid7(), 1), refusal)


@pytest.mark.parametrize("verb", ["earn", "earn_batch", "spend", "hold"])
def test_a_frozen_account_refuses_what_is_new(stage, verb):
    ledger.freeze(member_id=stage.member, reason="check", actor="operator:test")
    _is_unchanged(
        stage.member,
        lambda: VERBS[verb](stage, stage.member, uuid7(), 1),
        errors.MemberFrozen,
    )


@pytest.mark.parametrize("verb", ["capture", "void", "refund", "clawback", "adjust"])
def test_a_frozen_account_lets_what_was_promised_be_settled(stage, verb):
    ledger.freeze(member_id=stage.member, reason="check", actor="operator:test")
    assert VERBS[verb](stage, stage.member, uuid7(), 1).code == "ok"


@pytest.fixture
def closed(stage) -> Stage:
    """The same member, emptied and closed."""
    for hold in stage.holds:
        ledger.capture(member_id=stage.member, hold_op=hold, op_id=uuid7())
    ledger.spend(member_id=stage.member, op_id=uuid7(), amount=30)
    ledger.close(member_id=stage.member, reason="left", actor="operator:test")
    return stage


@pytest.mark.parametrize(
    ("verb", "refusal"),
    [
        *((verb, errors.AccountClosed) for verb in ("earn", "earn_batch", "spend", "hold")),
        ("refund", errors.AccountClosed),
        ("adjust", errors.AccountClosed),
        ("capture", errors.HoldNotOpen),
        ("void", errors.HoldNotOpen),
    ],
)
def test_a_closed_account_refuses_everything(closed, verb, refusal):
    _is_unchanged(closed.member, lambda: VERBS[verb](closed, closed.member, uuid7(), 1), refusal)


def test_a_closed_account_does_not_escape_a_clawback(closed):
    answer = VERBS["clawback"](closed, closed.member, uuid7(), 1)
    assert (answer.code, answer.debt) == ("ok", 1)


@pytest.mark.parametrize("verb", VERBS)
def test_an_operation_used_again_for_another_amount(stage, verb):
    op = uuid7()
    first = VERBS[verb](stage, stage.member, op, 2)
    assert VERBS[verb](stage, stage.member, op, 2).code == "replayed"
    _is_unchanged(
        stage.member,
        lambda: VERBS[verb](stage, stage.member, op, 3),
        errors.OperationConflict,
    )
    assert VERBS[verb](stage, stage.member, op, 2).seq == first.seq


@pytest.mark.parametrize("verb", VERBS)
def test_an_operation_of_another_verb(stage, verb):
    """The spend's id, given to every verb: also to spend, where the amount gives it away."""
    _is_unchanged(
        stage.member,
        lambda: VERBS[verb](stage, stage.member, stage.spent, 2),
        errors.OperationConflict,
    )


@pytest.mark.parametrize("op", [None, "01J", 7, UUID(int=0)])
@pytest.mark.parametrize("verb", VERBS)
def test_an_operation_id_that_is_none(stage, verb, op):
    _is_unchanged(
        stage.member, lambda: VERBS[verb](stage, stage.member, op, 1), errors.InvalidOperation
    )


@pytest.mark.parametrize("verb", ["spend", "hold", "adjust"])
def test_more_than_there_is(stage, verb):
    amount = -31 if verb == "adjust" else 31
    with pytest.raises(errors.InsufficientCredits) as refusal:
        VERBS[verb](stage, stage.member, uuid7(), amount)
    assert (refusal.value.available, refusal.value.gap) == (30, 1)


@pytest.mark.parametrize(
    ("verb", "amount", "refusal"),
    [
        ("capture", 21, errors.AmountExceedsHold),
        ("refund", 31, errors.AmountExceedsOriginal),
        ("clawback", 101, errors.AmountExceedsOriginal),
    ],
)
def test_more_than_the_original(stage, verb, amount, refusal):
    _is_unchanged(stage.member, lambda: VERBS[verb](stage, stage.member, uuid7(), amount), refusal)


@pytest.mark.parametrize("verb", ["capture", "void", "refund", "clawback"])
def test_the_original_of_somebody_else(stage, verb):
    other = make_member().pk
    ledger.earn(member_id=other, op_id=uuid7(), amount=50)
    wanted = errors.HoldNotFound if verb in ("capture", "void") else errors.OriginalNotFound
    _is_unchanged(other, lambda: VERBS[verb](stage, other, uuid7(), 1), wanted)
    assert standing(stage.member)
