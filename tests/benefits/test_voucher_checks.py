"""Vouchers in a wallet against our claims: asked about in turn, a few at a time, and compared."""

from datetime import timedelta

import httpx
import pytest

from benefits import errors
from benefits.models import Alarm, Claim, ProviderStatementLine, Rescue
from benefits.services import grants, voucher_checks
from benefits.services.endings import revoke_claim
from benefits.services.provider_endings import drain_provider_endings
from benefits.services.rescues import find_rescue_offer, snooze_claim
from benefits.services.returns import return_claim
from benefits.services.voucher_checks import check_vouchers, check_wallet, list_due
from benefits.verify_vouchers import VOUCHER_INVARIANTS
from tests.benefits.books import travel
from tests.benefits.factories import claim, give_credits, make_benefit, make_provider, make_release
from tests.benefits.test_wallet_vouchers import VOUCHER
from tests.credits.conftest import rows
from tests.factories import bind, make_member, sign_in
from zone.core.clock import database_now

pytestmark = pytest.mark.usefixtures("sound_books")
WHO = {"actor": "operator:x"}
FEW = 4


@pytest.fixture
def sent(db, issuer):
    """Vouchers of four members, each in its owner's wallet."""
    provider = make_provider(kind="test_wallet", timeout_ms=2000, url="", allows_return=True)
    benefit = make_benefit(price_credits=30, **VOUCHER)
    release = make_release(benefit, stock=FEW, provider=provider)
    for _ in range(FEW):
        member = make_member()
        bind(member)
        give_credits(member, 30)
        claim(member, release)
    grants.drain_grants()
    return again(Claim.objects.filter(state="granted").order_by("pk"))


def again(claims):
    """The claims as they are now."""
    return list(
        Claim.objects.select_related("release__provider", "benefit")
        .filter(pk__in=[each.pk for each in claims])
        .order_by("pk")
    )


def wallet_of(claims):
    return claims[0].release.provider


def move(issuer, made, status):
    """Somebody does something with a voucher in the wallet; the news of it reach nobody here."""
    number = made.provider_reference
    httpx.post(f"{issuer.url}/vouchers/{number}", json={"status": status}).raise_for_status()


def said(claims):
    found = dict(ProviderStatementLine.objects.values_list("claim_public_id", "status"))
    return [found.get(each.public_id) for each in claims]


def differing():
    [promise] = VOUCHER_INVARIANTS
    return sorted(public_id for _provider, public_id in rows(promise.sql))


def open_alarms():
    return list(Alarm.objects.filter(settled_at=None).values_list("kind", flat=True))


def test_what_agrees_is_asked_about_once_a_day_and_calls_nobody(sent):
    assert check_vouchers() == FEW
    assert said(sent) == ["issued"] * FEW
    assert (check_vouchers(), differing(), open_alarms()) == (0, [], [])
    travel(hours=25)
    assert check_vouchers() == FEW


def test_those_asked_about_longest_ago_come_first_and_only_so_many(sent, monkeypatch):
    monkeypatch.setattr(voucher_checks, "CHECKS_PER_RUN", 3)
    assert [check_vouchers() for _ in range(3)] == [3, 1, 0]
    travel(hours=25)
    turns = [each.pk for each in list_due(wallet_of(sent), now=database_now())]
    assert turns == [each.pk for each in sent[:3]]


def test_a_use_that_nobody_told_us_of_is_booked(sent, issuer):
    move(issuer, sent[0], "USED")
    assert check_vouchers() == FEW
    used, *others = again(sent)
    assert (used.state, used.redemptions.count()) == ("redeemed", 1)
    assert {each.state for each in others} == {"granted"}
    assert (differing(), open_alarms()) == ([], [])
    travel(hours=25)
    check_vouchers()
    travel(hours=50)
    assert used not in list_due(wallet_of(sent), now=database_now()), "both sides agree for good"


def test_what_is_gone_there_and_held_here_calls_a_person_until_both_agree(sent, issuer):
    gone = sent[1]
    move(issuer, gone, "DELETE")
    check_vouchers()
    assert (differing(), open_alarms()) == ([gone.public_id], ["provider_statement"])
    assert Alarm.objects.get().facts == {"claims": [gone.public_id], "count": 1}
    assert again([gone])[0].state == "granted", "a person decides"
    move(issuer, gone, "ENABLED")
    travel(hours=25)
    check_vouchers()
    assert (differing(), open_alarms()) == ([], [])


def test_what_ended_here_has_ended_there(sent, issuer):
    returned, revoked, *_ = sent
    return_claim(claim=returned, now=database_now(), actor="member:test")
    revoke_claim(claim=revoked, reason="fraud", now=database_now(), **WHO)
    due = list_due(wallet_of(sent), now=database_now())
    assert revoked not in due, "it is still being ended there"
    drain_provider_endings()
    assert check_vouchers() == FEW
    assert said(sent)[:2] == ["canceled", "canceled"]
    assert (differing(), open_alarms()) == ([], [])


def test_what_was_given_back_and_lives_on_in_the_wallet_is_found(sent, issuer):
    returned = sent[0]
    return_claim(claim=returned, now=database_now(), actor="member:test")
    move(issuer, returned, "ENABLED")
    check_vouchers()
    assert (differing(), open_alarms()) == ([returned.public_id], ["provider_statement"])
    move(issuer, returned, "DISABLED")
    travel(hours=25)
    check_vouchers()
    assert (differing(), open_alarms()) == ([], [])


def test_an_answer_older_than_the_claim_is_not_compared(sent):
    check_vouchers()
    given_back = sent[0]
    return_claim(claim=given_back, now=database_now(), actor="member:test")
    assert said(sent)[0] == "issued"
    assert differing() == []


def test_a_silent_wallet_is_left_alone_and_takes_nothing_back(sent, issuer):
    check_vouchers()
    issuer.control(mute=1)
    travel(hours=25)
    assert check_vouchers() == 0
    assert said(sent) == ["issued"] * FEW
    asked = ProviderStatementLine.objects.filter(seen_at__gt=database_now() - timedelta(hours=1))
    assert asked.count() == voucher_checks.SILENCES_MAX, "not everybody behind a silent gateway"
    issuer.control()
    assert check_vouchers() == 1, "the one that was not reached comes first"


def test_a_wallet_that_cannot_be_asked_changes_nothing(sent, settings):
    settings.SANDBOX_ISSUER_URL = ""
    assert check_wallet(wallet_of(sent)) == 0
    assert not ProviderStatementLine.objects.exists()


def test_its_end_is_the_wallets_and_is_not_moved_here(client, sent):
    """The page offers no more time and says why; a press that comes all the same is refused."""
    made = sent[0]
    travel(days=29)
    offer = find_rescue_offer(made, now=database_now())
    assert (offer.snooze_until, offer.is_in_wallet) == (None, True)
    with pytest.raises(errors.WalletKeepsEnd) as refused:
        snooze_claim(claim=made, now=database_now(), **WHO)
    sign_in(client, made.member)
    address = f"/me/benefits/{made.public_id}/rescue"
    page = client.get(address).content.decode()
    assert str(refused.value) in page
    assert "Give me more time" not in page
    assert "It is taken off when you pay." in page
    answer = client.post(address, {"do": "snooze"})
    assert answer.status_code == 409
    assert str(refused.value) in answer.content.decode()
    assert (Rescue.objects.count(), again([made])[0].valid_until) == (0, made.valid_until)
