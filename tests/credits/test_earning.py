"""Purchases earn by the rule table, once; refunds take back their share."""

from datetime import UTC, datetime

import pytest

from credits import ledger, rules
from credits.models import EarnRule
from credits.queries import get_balance, list_entries
from credits.services.earning import drain_earning
from zone.core.ids import uuid7
from zone.history.models import Charge, Refund

PAID_AT = datetime(2026, 11, 3, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("label", "currency", "amount", "earned"),
    [
        ("whole yuan", "CNY", 6800, 68),
        ("the fen are dropped", "CNY", 6899, 68),
        ("under one yuan earns nothing", "CNY", 99, 0),
        ("Hong Kong dollars", "HKD", 4800, 48),
        ("ten pesos are one credit", "PHP", 14900, 14),
        ("nine pesos are none", "PHP", 999, 0),
        ("no rule, no credits", "KRW", 5000, 0),
    ],
)
def test_what_a_purchase_is_worth(db, label, currency, amount, earned):
    worth = rules.worth_of_purchase(
        amount=amount, currency=currency, paid_at=PAID_AT, rules=rules.list_purchase_rules()
    )
    assert worth.credits == earned
