"""News about a binding: newer wins, an end wins a tie, what ended stays ended."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.factories import make_member
from zone.members.errors import MoveNotAllowed, StaleNews, WalletReturnRefused
from zone.members.models import Binding, Wallet
from zone.members.sandbox.services import accounts, agreements, messages
from zone.members.services.bindings import receive_news, record_binding_status, record_report
from zone.members.wallets.base import AgreementReport

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
USER = "2088777700000001"


@pytest.fixture
def member(db):
    return make_member(user_id=USER)


def report(status: str, at: datetime, number: str = "A1", **facts) -> AgreementReport:
    return AgreementReport(
        user_id=USER, status=status, occurred_at=at, agreement_reference=number, **facts
    )


def tell(status: str, at: datetime, number: str = "A1", **facts) -> Binding | None:
    wallet = Wallet.objects.get(code="ALIPAY_CN")
    return record_report(wallet=wallet, report=report(status, at, number, **facts))


def states() -> list[tuple[str, str]]:
    return list(Binding.objects.order_by("id").values_list("agreement_reference", "status"))


ORDERS = [
    ("in order", [("active", 0), ("unbound", 1)], "unbound"),
    ("end first", [("unbound", 1), ("active", 0)], "unbound"),
    ("tie, end second", [("active", 0), ("unbound", 0)], "unbound"),
    ("tie, end first", [("unbound", 0), ("active", 0)], "unbound"),
    ("pause and resume", [("active", 0), ("suspended", 1), ("active", 2)], "active"),
    ("old pause", [("active", 0), ("active", 2), ("suspended", 1)], "active"),
    ("tie of pause and start", [("active", 0), ("suspended", 0)], "active"),
    ("after the end", [("active", 0), ("unbound", 1), ("active", 2)], "unbound"),
    ("repeated", [("active", 0), ("active", 0), ("active", 0)], "active"),
    ("paused from the start", [("suspended", 0)], "suspended"),
]


@pytest.mark.parametrize(("label", "news", "ends"), ORDERS, ids=[row[0] for row in ORDERS])
def test_order_of_arrival_does_not_matter(member, label, news, ends):
    for status, minutes in news:
        tell(status, NOON + minutes * MINUTE)
    assert states() == [("A1", ends)]


def test_a_new_agreement_replaces_the_one_the_wallet_forgot(member):
    tell("active", NOON)
    tell("active", NOON + MINUTE, "A2")
    assert states() == [("A1", "unbound"), ("A2", "active")]
    tell("unbound", NOON + 2 * MINUTE)  # Late news of the first.
    assert states() == [("A1", "unbound"), ("A2", "active")]


def test_an_older_agreement_does_not_replace_a_newer_one(member):
    tell("active", NOON + MINUTE, "A2")
    assert tell("active", NOON, "A1") is None
    assert states() == [("A2", "active")]


def test_end_of_an_older_agreement_leaves_the_open_one(member):
    tell("active", NOON + MINUTE, "A2")
    tell("unbound", NOON, "A1")
    tell("active", NOON - MINUTE, "A1")
    assert sorted(states()) == [("A1", "unbound"), ("A2", "active")]


def test_news_finds_the_binding_that_waits_by_our_number(member):
    binding = Binding.objects.create(member=member, storefront="CHN", status_occurred_at=NOON)
    # The wallet's clock may be behind ours.
    tell("active", NOON - 5 * MINUTE, external_reference=binding.public_id)
    binding.refresh_from_db()
    assert (binding.status, binding.bound_at) == ("active", NOON - 5 * MINUTE)


def test_news_for_somebody_elses_number_is_no_news(member):
    tell("active", NOON)
    other = make_member(user_id="2088777700000002")
    stolen = AgreementReport("2088777700000002", "active", NOON + MINUTE, "A1")
    assert record_report(wallet=other.wallet, report=stolen) is None
    assert states() == [("A1", "active")]
    assert not other.bindings.exists()


def test_stranger_is_ignored(db):
    assert tell("active", NOON) is None
    assert states() == []


@pytest.mark.parametrize(
    ("status", "wanted"),
    [("active", "failed"), ("active", "pending"), ("suspended", "failed"), ("pending", "expired")],
)
def test_moves_that_are_none_are_refused(member, status, wanted):
    binding = Binding.objects.create(
        member=member, storefront="CHN", status=status, status_occurred_at=NOON
    )
    with pytest.raises(MoveNotAllowed):
        record_binding_status(binding=binding, status=wanted, occurred_at=NOON + MINUTE)
    binding.refresh_from_db()
    assert (binding.status, binding.status_occurred_at) == (status, NOON)


@pytest.mark.parametrize("status", ["unbound", "expired", "failed"])
def test_what_ended_stays_ended(member, status):
    binding = Binding.objects.create(
        member=member, storefront="CHN", status=status, status_occurred_at=NOON
    )
    with pytest.raises(StaleNews):
        record_binding_status(binding=binding, status="active", occurred_at=NOON + MINUTE)
    binding.refresh_from_db()
    assert binding.status == status


def news() -> dict[str, str]:
    wallet = Wallet.objects.get(code="ALIPAY_CN")
    account = accounts.ensure_account(wallet=wallet, user_id=USER)
    agreement = agreements.sign_agreement(account=account, now=NOON)
    return messages.news_params(agreement)


def test_signed_notification_is_applied_and_may_be_repeated(member):
    params = news()
    for _ in range(3):
        receive_news(wallet=member.wallet, params=params)
    assert [status for _, status in states()] == ["active"]


@pytest.mark.parametrize("name", ["status", "user_id", "agreement_no", "changed_time", "sign"])
def test_altered_notification_is_refused(member, name):
    params = news()
    params[name] = "UNSIGN"
    with pytest.raises(WalletReturnRefused):
        receive_news(wallet=member.wallet, params=params)
    assert states() == []


def test_notification_signed_by_another_wallet_is_refused(member):
    params = news()
    with pytest.raises(WalletReturnRefused):
        receive_news(wallet=Wallet.objects.get(code="GCASH"), params=params)
    assert states() == []
