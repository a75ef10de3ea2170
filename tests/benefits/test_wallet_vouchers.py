"""Vouchers that a wallet keeps for its people: sent, asked about, used there, taken back."""

import base64
import json
from datetime import timedelta

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from django.core.exceptions import ValidationError

from benefits.admin.provider import ProviderForm
from benefits.errors import RestoreRefused, ReturnRefused
from benefits.models import Alarm, Claim, Code, ProviderEnding, ProviderMessage
from benefits.providers import voucher_dialect as dialect
from benefits.providers.base import Canceled, Issued, Repeat, Used
from benefits.providers.registry import open_provider
from benefits.providers.sandbox_vouchers import APP_ID, sandbox_keys
from benefits.providers.voucher_dialect import DialectError, Notification
from benefits.services import grants, provider_endings, silence
from benefits.services.endings import restore_claim, revoke_claim
from benefits.services.provider_endings import ATTEMPTS_BEFORE_ALARM, drain_provider_endings
from benefits.services.provider_messages import drain_provider_messages
from benefits.services.returns import return_claim
from benefits.services.statements import fetch_statement
from tests.benefits.factories import claim, give_credits, make_benefit, make_provider, make_release
from tests.benefits.test_claim_benefit import balance
from tests.benefits.test_grants import make_due
from tests.factories import make_operator, sign_in, sign_in_operator
from zone.console.models import OperatorScope
from zone.core import clock
from zone.core.clock import database_now
from zone.core.models import StuckRow
from zone.members.services.identities import find_user_id

pytestmark = pytest.mark.usefixtures("sound_books")
VOUCHER = {
    "kind": "wallet_voucher",
    "detail": {"activity_id": "20260001", "currency": "CNY", "amount_off": 600},
    "is_giftable": False,
}


def make_voucher_release(**fields):
    provider = make_provider(
        **{"kind": "test_wallet", "timeout_ms": 2000, "attempts_max": 3, "url": "", **fields}
    )
    benefit = make_benefit(price_credits=30, **VOUCHER)
    return make_release(benefit, stock=5, provider=provider)


@pytest.fixture
def release(db, issuer):
    return make_voucher_release(allows_return=True)


@pytest.fixture
def waiting(alice, release):
    give_credits(alice, 100)
    return claim(alice, release)


@pytest.fixture
def sent(waiting):
    grants.drain_grants()
    waiting.refresh_from_db()
    return waiting


def status_of(issuer, made):
    return issuer.orders()[made.public_id]["voucher_status"]


def test_a_voucher_is_sent_to_its_owner_and_paid_for(sent, alice, issuer):
    order = issuer.orders()[sent.public_id]
    assert (sent.state, sent.provider_reference) == ("granted", order["reference"])
    assert (order["user_id"], order["activity_id"]) == (find_user_id(alice), "20260001")
    assert (balance(alice)[:2], Code.objects.count()) == ((70, 0), 0)


def test_a_lost_reply_is_asked_about_by_sending_the_same_again(waiting, alice, issuer):
    issuer.control(lose_reply=1)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, balance(alice)[:2]) == ("reserved", (70, 30))
    number = issuer.orders()[waiting.public_id]["reference"]
    issuer.control()
    make_due(waiting)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.provider_reference) == ("granted", number)
    assert len([o for o in issuer.orders() if o == waiting.public_id]) == 1


def test_a_silent_wallet_keeps_the_credits_held_until_it_speaks(waiting, alice, issuer):
    issuer.control(down=1)
    for _ in range(4):
        make_due(waiting)
        grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.provider_status) == ("reserved", "silent")
    assert balance(alice)[:2] == (70, 30)
    assert Alarm.objects.get().kind == "provider_silent"
    issuer.control()
    silence.ask_again(claim=waiting, actor="operator:x", now=database_now())
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, balance(alice)[:2]) == ("granted", (70, 0))
    assert not Alarm.objects.filter(settled_at=None).exists(), "it has come"


def test_a_refusal_gives_everything_back(waiting, alice, issuer):
    issuer.control(refuse=1)
    grants.drain_grants()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.failure_code) == ("failed", "USER_NOT_FOUND")
    assert balance(alice)[:2] == (100, 0)


def test_a_wrong_key_of_ours_is_no_refusal_of_the_member(db, alice, issuer):
    release = make_voucher_release(kind="wallet", url=f"{issuer.url}/gateway.do", app_id=APP_ID)
    mistaken = {"secret": text_of(sandbox_keys()[1]), "peer_key": public_text_of(sandbox_keys()[1])}
    save(release.provider, **mistaken)
    give_credits(alice, 30)
    made = claim(alice, release)
    grants.drain_grants()
    made.refresh_from_db()
    assert (made.state, made.provider_status, balance(alice)[:2]) == (
        "reserved",
        "unknown",
        (0, 30),
    )
    save(release.provider, secret=text_of(sandbox_keys()[0]))
    make_due(made)
    grants.drain_grants()
    made.refresh_from_db()
    assert made.state == "granted"


def text_of(key):
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(der).decode()


def public_text_of(key):
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def form_of(provider, **values):
    fields = {name: getattr(provider, name) for name in ProviderForm.Meta.fields}
    return ProviderForm({**fields, **values}, instance=provider)


def save(provider, **values):
    form = form_of(provider, **values)
    assert form.is_valid(), form.errors
    form.save()


def test_an_operator_sets_a_wallet_up_with_keys_or_not_at_all(db):
    provider = make_provider()
    form = form_of(provider, kind="wallet", secret="x" * 40, peer_key="nonsense")
    assert set(form.errors) == {"app_id", "secret", "peer_key"}


def test_vouchers_come_from_wallets_and_are_not_given_away(db):
    voucher = make_benefit(**VOUCHER)
    for release in (
        make_release(voucher, stock=1, provider=make_provider()),
        make_release(make_benefit(), stock=1, provider=make_provider(kind="wallet")),
    ):
        with pytest.raises(ValidationError, match="come from a wallet"):
            release.full_clean()
    voucher.is_giftable = True
    with pytest.raises(ValidationError, match="stays there"):
        voucher.full_clean()


def test_its_state_is_known_until_its_end(sent, issuer):
    provider = open_provider(sent.release.provider)
    try:
        assert provider.query(sent) == Issued(sent.provider_reference)
        move(issuer, sent, "USED")
        assert provider.query(sent) == Used(sent.provider_reference)
        move(issuer, sent, "DELETE")
        assert provider.query(sent) == Canceled()
        assert isinstance(provider.query(Claim(provider_reference=None)), Repeat)
        assert provider.list_orders() is None
    finally:
        provider.close()
    assert fetch_statement(provider=sent.release.provider) is None
    assert Alarm.objects.count() == 0


def move(issuer, made, status):
    number = made.provider_reference
    httpx.post(f"{issuer.url}/vouchers/{number}", json={"status": status}).raise_for_status()


def test_given_back_it_is_gone_from_the_wallet(sent, alice, issuer):
    return_claim(claim=sent, now=database_now(), actor="member:test")
    sent.refresh_from_db()
    assert (sent.state, sent.holds_slot, balance(alice)[:2]) == ("returned", False, (100, 0))
    assert status_of(issuer, sent) == "DISABLED"


def test_what_was_used_is_not_given_back(sent, alice, issuer):
    move(issuer, sent, "USED")
    with pytest.raises(ReturnRefused):
        return_claim(claim=sent, now=database_now(), actor="member:test")
    sent.refresh_from_db()
    assert (sent.state, balance(alice)[:2]) == ("granted", (70, 0))


def test_taken_away_it_is_ended_in_the_wallet_too_and_does_not_come_back(sent, alice, issuer):
    taken = {"reason": "fraud", "actor": "operator:x", "now": database_now()}
    revoke_claim(claim=sent, **taken)
    assert status_of(issuer, sent) == "ENABLED"
    assert (drain_provider_endings(), drain_provider_endings()) == (1, 0)
    assert status_of(issuer, sent) == "DISABLED"
    with pytest.raises(RestoreRefused):
        restore_claim(claim=sent, actor="operator:x", now=database_now())
    assert Alarm.objects.count() == 0


def test_taken_away_while_the_wallet_is_silent_it_is_ended_later(sent, issuer, settings):
    address, settings.SANDBOX_ISSUER_URL = settings.SANDBOX_ISSUER_URL, "http://127.0.0.1:9"
    revoke_claim(claim=sent, reason="fraud", actor="operator:x", now=database_now())
    for attempt in range(1, ATTEMPTS_BEFORE_ALARM + 1):
        assert drain_provider_endings() == 1
        ending = ProviderEnding.objects.get()
        assert (ending.attempts, ending.outcome) == (attempt, "ConnectionRefusedError")
        assert drain_provider_endings() == 0, "not at once"
        ProviderEnding.objects.update(next_attempt_at=database_now())
    assert Alarm.objects.get(settled_at=None).kind == "provider_silent"
    settings.SANDBOX_ISSUER_URL = address
    assert drain_provider_endings() == 1
    assert status_of(issuer, sent) == "DISABLED"
    assert not Alarm.objects.filter(settled_at=None).exists()


def test_taken_away_after_it_was_used_a_person_looks(sent, issuer):
    move(issuer, sent, "USED")
    revoke_claim(claim=sent, reason="fraud", actor="operator:x", now=database_now())
    drain_provider_endings()
    assert Alarm.objects.get().facts == {"kept": "VOUCHER_STATUS_ERROR"}
    assert ProviderEnding.objects.get().next_attempt_at is None


def test_who_looked_at_a_refusal_has_the_wallet_asked_again(sent, issuer, client):
    operator = make_operator("support")
    sign_in_operator(client, operator)
    move(issuer, sent, "USED")
    revoke_claim(claim=sent, reason="fraud", actor="operator:x", now=database_now())
    drain_provider_endings()
    move(issuer, sent, "ENABLED")
    page = client.get("/console/benefits/providerending/").content.decode()
    assert sent.public_id in page
    assert "VOUCHER_STATUS_ERROR" in page
    chosen = {"action": "try_again", "_selected_action": [ProviderEnding.objects.get().pk]}
    answer = client.post("/console/benefits/providerending/", chosen, follow=True).content.decode()
    assert "Asked again in the next round: 1." in answer
    assert drain_provider_endings() == 1
    assert status_of(issuer, sent) == "DISABLED"
    assert not Alarm.objects.filter(settled_at=None).exists(), "nobody has to look any more"
    answer = client.post("/console/benefits/providerending/", chosen, follow=True).content.decode()
    assert "It has ended at the provider already." in answer
    assert drain_provider_endings() == 0
    OperatorScope.objects.create(user=operator).wallets.set(["GCASH"])
    assert sent.public_id not in client.get("/console/benefits/providerending/").content.decode()


@pytest.mark.stuck
def test_one_that_raises_does_not_keep_the_others_waiting(sent, issuer, monkeypatch):
    revoke_claim(claim=sent, reason="fraud", actor="operator:x", now=database_now())
    ask = provider_endings._ask

    def broken(claim):
        raise LookupError

    monkeypatch.setattr(provider_endings, "_ask", broken)
    assert drain_provider_endings() == 1
    assert StuckRow.objects.get().work == "provider_endings"
    monkeypatch.setattr(provider_endings, "_ask", ask)
    ProviderEnding.objects.update(next_attempt_at=database_now())
    assert drain_provider_endings() == 0, "it waits a minute longer than the rest"
    StuckRow.objects.update(retry_at=database_now())
    assert drain_provider_endings() == 1
    assert (StuckRow.objects.count(), status_of(issuer, sent)) == (0, "DISABLED")


def test_codes_are_not_ended_at_anybody(given):
    revoke_claim(claim=given, reason="fraud", actor="operator:x", now=database_now())
    assert ProviderEnding.objects.count() == 0


def tell(client, made, status, *, notify_id="n1", app_id=APP_ID, key=None, **changed):
    news = Notification(notify_id, made.public_id, made.provider_reference or "7", status)
    key = key or sandbox_keys()[1]
    body = dialect.make_notification(news, app_id=app_id, key=key, at=clock.now())
    for old, new in changed.items():
        body = body.replace(old.encode(), new.encode())
    return client.post(
        f"/ingest/v1/issuers/{made.release.provider.code}/messages",
        body,
        content_type="application/x-www-form-urlencoded",
    )


def test_used_in_the_wallet_it_is_used_here_once(client, sent):
    for number in ("n1", "n1", "n2"):
        answer = tell(client, sent, "USED", notify_id=number)
        assert (answer.status_code, answer.content) == (200, b"success")
    assert drain_provider_messages() == 2
    sent.refresh_from_db()
    assert (sent.state, sent.redemptions.count()) == ("redeemed", 1)
    outcomes = ProviderMessage.objects.order_by("id").values_list("outcome", flat=True)
    assert list(outcomes) == ["used", "known"]
    assert Alarm.objects.count() == 0


def test_used_before_our_own_commit_it_is_granted_and_used(client, waiting, alice, issuer):
    issuer.control(lose_reply=1)
    grants.drain_grants()
    waiting.provider_reference = issuer.orders()[waiting.public_id]["reference"]
    tell(client, waiting, "USED")
    drain_provider_messages()
    waiting.refresh_from_db()
    assert (waiting.state, balance(alice)[:2]) == ("redeemed", (70, 0))
    causes = waiting.events.order_by("id").values_list("to_state", flat=True)
    assert list(causes)[-2:] == ["granted", "redeemed"]


@pytest.mark.parametrize("status", ["DELETE", "TRANSFER"])
def test_gone_from_the_wallet_without_us_a_person_decides(client, sent, status):
    tell(client, sent, status)
    drain_provider_messages()
    sent.refresh_from_db()
    assert (sent.state, Alarm.objects.get().subject) == ("granted", sent.public_id)


@pytest.mark.parametrize(
    ("label", "changed"),
    [
        ("another key", {"key": 0}),
        ("another application", {"app_id": "2021999999999999"}),
        ("another word", {"DELETE": "USED"}),
    ],
)
def test_what_the_wallet_did_not_say_is_not_kept(client, sent, label, changed):
    changed = {**changed, **({"key": sandbox_keys()[0]} if "key" in changed else {})}
    assert tell(client, sent, "DELETE", **changed).status_code == 401
    assert ProviderMessage.objects.count() == 0


def test_an_answer_counts_only_with_the_wallets_own_signature():
    portal, wallet = sandbox_keys()
    raw = dialect.make_answer(dialect.SEND, {"code": "10000", "voucher_id": "1"}, key=wallet)
    keys = {"method": dialect.SEND, "key": wallet.public_key()}
    assert dialect.read_answer(raw, **keys)["voucher_id"] == "1"
    spaced = raw.replace(b'_response":{', b'_response": {')
    assert dialect.read_answer(spaced, **keys)["voucher_id"] == "1"
    forged = dialect.make_answer(dialect.SEND, {"code": "40004"}, key=portal)
    unsigned = json.dumps({"error_response": {"code": "40002"}}).encode()
    for bad in (raw.replace(b'"1"', b'"2"'), forged, unsigned, b"[]", b"\xff"):
        with pytest.raises(DialectError):
            dialect.read_answer(bad, **keys)


def test_a_request_is_taken_once_signed_in_time_and_whole():
    portal, wallet = sandbox_keys()
    now = clock.now()
    body = dialect.make_request(dialect.SEND, {"a": "ü &="}, app_id=APP_ID, key=portal, at=now)
    check = {"key": portal.public_key(), "now": now, "slack": timedelta(minutes=5)}
    params, biz = dialect.read_request(body, **check)
    assert (params["app_id"], biz) == (APP_ID, {"a": "ü &="})
    late = {**check, "now": now + timedelta(minutes=6)}
    for bad, how in (
        (body.replace(b"2021", b"2022", 1), check),
        (body, {**check, "key": wallet.public_key()}),
        (body + b"&app_id=1", check),
        (body, late),
    ):
        with pytest.raises(DialectError):
            dialect.read_request(bad, **how)


def test_its_page_says_where_it_lies_and_shows_no_code(client, sent, alice):
    sign_in(client, alice)
    page = client.get(f"/me/benefits/{sent.public_id}").content.decode()
    assert "It lies in your wallet" in page
    assert "Show the code" not in page
