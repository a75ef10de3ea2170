"""Vouchers in a wallet against our claims: asked about in turn, a few at a time, and compared."""

import time
from datetime import timedelta

import httpx
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from benefits import errors
from benefits.models import Alarm, Claim, ProviderConfig, ProviderStatementLine, Rescue
from benefits.providers.base import Refused
from benefits.providers.wallet_vouchers import WalletVouchers
from benefits.services import grants, voucher_checks
from benefits.services.endings import revoke_claim
from benefits.services.provider_endings import drain_provider_endings
from benefits.services.rescues import find_rescue_offer, snooze_claim
from benefits.services.returns import return_claim
from benefits.services.voucher_checks import (
    check_vouchers,
    check_wallet,
    list_due,
    share_of_run,
)
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
    monkeypatch.setattr(voucher_checks, "CHECKS_PER_RUN_MIN", 3)
    assert [check_vouchers() for _ in range(3)] == [3, 1, 0]
    travel(hours=25)
    turns = [each.pk for each in list_due(wallet_of(sent), now=database_now())]
    assert turns == [each.pk for each in sent[:3]]


def test_a_runs_share_follows_the_number_of_vouchers_up_to_what_a_wallet_bears(sent, monkeypatch):
    """With two runs a day, and room for nothing beside: each asks about half of them."""
    wallet = wallet_of(sent)
    for name, value in {"CHECKS_PER_RUN_MIN": 1, "RUNS_PER_DAY": 2, "SPARE": 1}.items():
        monkeypatch.setattr(voucher_checks, name, value)
    assert share_of_run(wallet) == FEW / 2
    monkeypatch.setattr(voucher_checks, "RUNS_PER_DAY", 1)
    assert share_of_run(wallet) == FEW
    monkeypatch.setattr(voucher_checks, "RUN_SECONDS_MAX", 1)
    wallet.questions_per_second = 3
    assert share_of_run(wallet) == 3


def test_everybody_has_a_turn_within_a_day(sent, monkeypatch):
    """One a run and as many runs as vouchers: none waits for the next day."""
    for name, value in {"CHECKS_PER_RUN_MIN": 1, "RUNS_PER_DAY": FEW, "SPARE": 1}.items():
        monkeypatch.setattr(voucher_checks, name, value)
    for _day in range(2):
        assert [check_vouchers() for _ in range(FEW + 1)] == [1] * FEW + [0]
        travel(hours=25)


def test_a_wallet_is_asked_no_faster_than_it_bears(sent):
    ProviderConfig.objects.update(questions_per_second=10)
    began = time.monotonic()
    assert check_vouchers() == FEW
    assert time.monotonic() - began >= (FEW - 1) / 10  # Nothing is waited for after the last.


@pytest.mark.parametrize(
    ("reason", "word", "differs"),
    [("VOUCHER_NOT_EXIST", "missing", True), ("USER_NOT_ALLOWED", "refused", False)],
)
def test_a_refusal_to_answer_is_no_missing_voucher(sent, monkeypatch, reason, word, differs):
    made = sent[0]
    ask = WalletVouchers.query
    monkeypatch.setattr(
        WalletVouchers,
        "query",
        lambda self, asked: Refused(reason) if asked.pk == made.pk else ask(self, asked),
    )
    assert check_vouchers() == FEW
    assert said(sent) == [word, *["issued"] * (FEW - 1)]
    assert bool(differing()) == bool(open_alarms()) == differs
    travel(hours=25)
    assert made in list_due(wallet_of(sent), now=database_now())
    monkeypatch.undo()
    check_vouchers()
    assert (differing(), open_alarms()) == ([], [])


def test_a_refusal_takes_nothing_back_of_what_was_said(sent, monkeypatch):
    check_vouchers()
    travel(hours=25)
    monkeypatch.setattr(WalletVouchers, "query", lambda self, asked: Refused("NOT_NOW"))
    check_vouchers()
    assert said(sent) == ["issued"] * FEW


def test_those_whose_turn_it_is_are_found_by_an_index(sent):
    """Among many claims of codes, which have no part in it."""
    with transaction.atomic():
        many_claims_of_codes(20_000)
        with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
            assert len(list_due(wallet_of(sent), now=database_now())) == FEW
            [query] = [each["sql"] for each in asked if "turns" in each["sql"]]
            cursor.execute(f"EXPLAIN {query}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)
    assert "benefits_claim_voucher on" in plan
    assert "benefits_claim_voucher_ended" in plan
    assert "Seq Scan on benefits_claim " not in plan
    assert "benefits_claim_pkey" not in plan, "nor all of them in their order"


def many_claims_of_codes(count):
    """Copies of one claim, as if they were of codes and had ended."""
    columns = [column.column for column in Claim._meta.concrete_fields if not column.primary_key]
    told = {
        "public_id": "'clm_' || lpad(n::text, 26, '0')",
        "op_id": "gen_random_uuid()",
        "mode": "'codes'",
        "provider_status": "''",
        "provider_reference": "NULL",
        "holds_slot": "false",
        "state": "'expired'",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO benefits_claim ({', '.join(columns)})"
            f" SELECT {', '.join(told.get(name, f'claim.{name}') for name in columns)}"
            " FROM (SELECT * FROM benefits_claim ORDER BY id LIMIT 1) claim,"
            f" generate_series(1, {count}) n"
        )
        cursor.execute("ANALYZE benefits_claim")


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
