"""A forgotten member: nothing names them anywhere, and the books are as they were."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from benefits.models import Claim, Gift, Trial
from benefits.services import gift_clock, gift_moves, gift_opening, gifts
from benefits.verify import INVARIANTS as CLAIMS_HOLD
from credits import ledger
from credits.kinds import AccountStatus
from credits.models import AdjustRequest
from credits.queries import get_balance, list_entries
from credits.services.earning import drain_earning
from credits.verify import INVARIANTS as BOOKS_HOLD
from tests.api.caller import Caller, assigned_release, make_partner
from tests.benefits.factories import claim, give_credits, make_benefit, make_provider, make_release
from tests.credits.conftest import rows, travel
from tests.factories import bind, make_member, make_operator, sign_in, sign_in_operator
from tests.history.messages import bill, event, line
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.history.models import Charge
from zone.history.services.ingest import ingest_bill, ingest_subscription
from zone.members.errors import ErasureNotOpen, MemberErased
from zone.members.models import Consent, Erasure, Member, MemberSession, PartnerMember
from zone.members.services import erasures
from zone.members.services.consents import give_consents
from zone.members.services.identities import find_member
from zone.members.services.partner_members import introduce_member
from zone.notices.models import Notice
from zone.partners.models import Event, IdempotencyRecord, PartnerReference

USER_ID = "2088770000CANARY1"
# Anything that tells who somebody is carries this word in these tests.
CANARY = "canary"
DRAINS = [path for path in settings.ZONE_DRAINS if "forget" in path or "erasure" in path]


@pytest.fixture
def person(db):
    member = make_member(user_id=USER_ID)
    Member.objects.filter(pk=member.pk).update(
        display_name="Canary Wong", person_token=b"canary-token"
    )
    member.refresh_from_db()
    binding = bind(member)
    binding.agreement_reference, binding.account_masked = "CANARY-AGR", "can***@canary.cn"
    binding.save()
    return member


def buy():
    at = database_now() - timedelta(days=1)
    sold = bill(
        USER_ID, pay_time=at.isoformat(), bill_no="B-100200300", outBillNo="CANARYORDER",
        lines=[line("Canary Diary", "6800", ref="CANARY-SUB", recurring=True)],
    )  # fmt: skip
    assert ingest_bill(wallet_code="ALIPAY_CN", body=sold).outcome == "stored"
    renews = event(USER_ID, ref="CANARY-SUB", at=at, plan="CANARY FAMILY")
    assert ingest_subscription(wallet_code="ALIPAY_CN", body=renews).outcome == "stored"


def live_a_little(member, friend, partner=None):
    """Everything that may hold a word about a person."""
    now = database_now()
    buy()
    give_credits(member, 500)
    drain_earning()
    give_consents(
        member=member, purposes=["account", "marketing"], language="en",
        evidence={"address": "canary street"}, now=now,
    )  # fmt: skip
    release = make_release(make_benefit(), codes=5, per_member=5)
    claim(member, release)
    words = {"words": "Canary hug", "signed_by": "Canary", "receiver_name": "Bo Canary"}
    sent = gifts.send_gift(
        giver=member, claim=claim(member, release), op_id=uuid7(), now=now, theme="pink", **words
    )
    gift_clock.drain_gifts()
    taken = gift_opening.open_gift(token=gift_moves.read_token(sent), member=friend, now=now)
    gift_opening.accept_gift(gift=taken, member=friend, now=now)
    gifts.send_gift(
        giver=member, claim=claim(member, release), op_id=uuid7(), now=now, theme="pink", **words
    )
    AdjustRequest.objects.create(
        member=member, amount=5, reason="goodwill", note="Mrs Canary called",
        maker=make_operator("finance"), created_at=now, expires_at=now + timedelta(days=1),
    )  # fmt: skip
    return release


def forget_all():
    for _ in range(3):
        for path in DRAINS:
            import_string(path)()


def erase(member):
    erasures.request_erasure(member=member, by="member", now=database_now())
    with travel(timedelta(days=15, minutes=1)):
        forget_all()


def tables_naming(word):
    """Every table of the database that says `word` in any column."""
    names = rows(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname IN ('public', 'ledger') ORDER BY 1, 2"
    )
    return [
        f"{schema}.{table}"
        for schema, table in names
        if rows(
            f'SELECT 1 FROM "{schema}"."{table}" t WHERE t::text ILIKE %s LIMIT 1', [f"%{word}%"]
        )
    ]


def totals():
    return rows(
        "SELECT kind, counter, sum(available_change), sum(debt_change) FROM ledger.entry"
        " WHERE related <> 'close' GROUP BY 1, 2 ORDER BY 1, 2"
    )


def test_nothing_names_a_forgotten_member_and_the_books_stand(person, bob):
    live_a_little(person, bob)
    named = tables_naming(CANARY)
    assert {
        "public.benefits_gift", "public.members_member", "public.members_consent",
        "public.history_charge", "public.history_charge_line", "public.history_subscription",
        "public.members_binding", "public.credits_adjustrequest", "public.notices_notice",
    } <= set(named)  # fmt: skip
    before, lines = totals(), len(list_entries(person))

    erase(person)

    assert tables_naming(CANARY) == []
    assert tables_naming(CANARY.encode().hex()) == []
    assert totals() == before
    assert len(list_entries(person)) == lines + 1
    balance = get_balance(person)
    assert (balance.available, balance.debt, balance.status) == (0, 0, AccountStatus.CLOSED)
    for invariant in (*BOOKS_HOLD, *CLAIMS_HOLD):
        if not invariant.is_liveness:
            assert rows(invariant.sql) == [], invariant.id
    erasure = Erasure.objects.get()
    assert erasure.done_at is not None
    assert sorted(erasure.rooms_done) == sorted(settings.ERASURE_ROOMS)
    assert not Notice.objects.filter(member=person).exists()
    assert set(Claim.objects.filter(member=person).values_list("state", flat=True)) == {
        "gifted", "revoked",
    }  # fmt: skip
    assert not Gift.objects.filter(state__in=Gift.OPEN_STATES).exists()
    assert Charge.objects.get().amount == 6800


def test_a_room_that_forgets_nothing_is_found_out(person, bob, monkeypatch):
    """Control: the walk through every table sees what one room leaves behind."""
    live_a_little(person, bob)
    monkeypatch.setattr("benefits.services.forgetting._forget", lambda erasure: True)
    erase(person)
    assert "public.benefits_gift" in tables_naming(CANARY)


def test_fifteen_days_to_change_ones_mind(client, person):
    session = sign_in(client, person)
    assert client.get("/me/privacy/erase").status_code == 200
    assert client.post("/me/privacy/erase").status_code == 422
    assert client.post("/me/privacy/erase", {"confirm": "yes"}).status_code == 303
    with travel(timedelta(days=14, hours=23)):
        forget_all()
    person.refresh_from_db()
    assert (person.status, person.display_name) == ("erasing", "Canary Wong")
    page = client.get("/me/privacy").content.decode()
    assert "will be deleted on" in page

    assert client.post("/me/privacy/erase/cancel").status_code == 303

    person.refresh_from_db()
    assert person.status == "active"
    with travel(timedelta(days=30)):
        forget_all()
    person.refresh_from_db()
    assert person.display_name == "Canary Wong"
    assert MemberSession.objects.filter(pk=session.pk).exists()
    with pytest.raises(ErasureNotOpen):
        erasures.cancel_erasure(member=person, now=database_now())


def test_nobody_comes_back_as_a_forgotten_member(client, person, bob):
    live_a_little(person, bob)
    sign_in(client, person)
    erase(person)
    assert client.get("/me").status_code == 302
    assert find_member(wallet_code="ALIPAY_CN", user_id=USER_ID) is None
    again = make_member(user_id=USER_ID)
    assert again.pk != person.pk
    assert list_entries(again) == []
    with pytest.raises(MemberErased):
        erasures.request_erasure(member=person, by="member", now=database_now())


def test_the_console_and_the_other_sides_pages_name_nobody(client, person, bob):
    live_a_little(person, bob)
    erase(person)
    sign_in_operator(client, make_operator("auditor"))
    for path in (
        f"/console/members/member/{person.pk}/change/",
        f"/console/members/{person.public_id}/timeline/",
        "/console/benefits/gift/",
        "/console/history/charge/",
        f"/console/credits/adjustrequest/?q={person.public_id}",
    ):
        answer = client.get(path, follow=True)
        assert CANARY not in answer.content.decode().lower(), path
    client.logout()
    sign_in(client, bob)
    for path in ("/inbox", "/gifts", "/me/benefits"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert CANARY not in answer.content.decode().lower(), path


def test_a_partner_reads_erased_and_nulls(person, bob):
    partner = make_partner("acme")
    known = introduce_member(partner=partner, member=person, external_id="canary-77")
    live_a_little(person, bob)
    answer = Caller.of(partner).post(
        f"/members/{known.public_id}/erase", {"reason": "member_request"}
    )
    assert (answer.status_code, answer.json()["status"]) == (202, "erasing")
    with travel(timedelta(days=15, minutes=1)):
        forget_all()
    found = Caller.of(partner).get(f"/members/{known.public_id}").json()
    assert (found["status"], found["external_id"], found["market"], found["joined_at"]) == (
        "erased", None, None, None,
    )  # fmt: skip
    assert not PartnerMember.objects.filter(external_id__isnull=False).exists()


def test_what_a_provider_is_at_is_waited_for(person):
    give_credits(person, 300)
    release = make_release(make_benefit(price_credits=100), stock=5, provider=make_provider())
    made = claim(person, release)
    assert made.state == "reserved"
    erase(person)
    assert Erasure.objects.get().done_at is None
    assert get_balance(person).held == 100

    Claim.objects.filter(pk=made.pk).update(state="failed", next_attempt_at=None, holds_slot=False)
    ledger.void(member_id=person.pk, hold_op=made.op_id, op_id=uuid7())
    with travel(timedelta(days=16)):
        forget_all()
    assert Erasure.objects.get().done_at is not None
    assert get_balance(person).status == AccountStatus.CLOSED


def test_a_worker_killed_between_rooms_is_taken_up(person, bob, monkeypatch):
    live_a_little(person, bob)

    def die(erasure):
        raise SystemExit

    with monkeypatch.context() as broken:
        broken.setattr("credits.services.forgetting._forget", die)
        with pytest.raises(SystemExit):
            erase(person)
    assert Erasure.objects.get().done_at is None
    with travel(timedelta(days=16)):
        forget_all()
    assert tables_naming(CANARY) == []
    assert len([e for e in list_entries(person) if e.related == "close"]) == 1


def test_consent_is_given_and_taken_back_on_one_page(client, alice):
    sign_in(client, alice)
    assert client.post("/me/privacy/consent", {"purpose": "account"}).status_code == 404
    client.post("/me/privacy/consent", {"purpose": "marketing", "wanted": "yes"})
    assert Consent.objects.get(member=alice).withdrawn_at is None
    assert "Switch off" in client.get("/me/privacy").content.decode()
    client.post("/me/privacy/consent", {"purpose": "marketing", "wanted": "no"})
    assert Consent.objects.get(member=alice).withdrawn_at is not None


def test_a_trial_of_a_forgotten_member_reminds_nobody(person):
    made = claim(person, make_release(make_benefit(), codes=1))
    now = database_now()
    Trial.objects.create(
        claim=made, member=person, service="apple_music", plan="Canary plan", starts_at=now,
        first_charge_at=now + timedelta(days=30), next_attempt_at=now + timedelta(days=27),
    )  # fmt: skip
    erase(person)
    trial = Trial.objects.get()
    assert (trial.state, trial.plan, trial.next_attempt_at) == ("unseen", "", None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM notices_notice")
        assert cursor.fetchone() == (0,)


def _hear_of(partner, member, release):
    """A partner meets a member under a name of its own, and gives them a unit, and uses it."""
    known = introduce_member(partner=partner, member=member, external_id="canary-77")
    caller = Caller.of(partner)
    asked = {
        "member": known.public_id, "benefit": release.benefit.public_id,
        "external_id": "canary-order-1", "metadata": {"for": "canary"},
    }  # fmt: skip
    given = caller.post("/claims", asked)
    assert given.status_code == 201
    used = caller.post(
        "/claims/redeem",
        {
            "claim": given.json()["id"], "external_id": "canary-use-1",
            "order": {"reference": "canary-cart", "storefront": "CHN"},
        },
    )  # fmt: skip
    assert used.status_code == 201, used.content
    return caller, known, given.json()["id"]


def test_partners_rows_name_nobody_and_their_events_go_on(person):
    partner = make_partner("acme")
    release = assigned_release(partner, codes=3)
    caller, known, claim_id = _hear_of(partner, person, release)
    other = make_member(user_id="2088770000SOMEELSE")
    bind(other)
    kept_id = introduce_member(partner=partner, member=other, external_id="keep-1").public_id
    kept_body = {
        "member": kept_id, "benefit": release.benefit.public_id, "external_id": "keep-order",
    }  # fmt: skip
    kept = caller.post("/claims", kept_body, key="keep-key")
    assert kept.status_code == 201
    assert {
        "public.partners_event", "public.partners_partnerreference", "public.benefits_claim",
        "public.benefits_redemption", "public.members_partnermember",
    } <= set(tables_naming(CANARY))  # fmt: skip
    stored = rows("SELECT count(*) FROM partners_idempotencyrecord")
    assert stored == [(3,)]

    erase(person)

    assert tables_naming(CANARY) == []
    assert tables_naming(CANARY.encode().hex()) == []
    # What was answered about somebody else is answered again, to the letter.
    assert IdempotencyRecord.objects.count() == 1
    assert caller.post("/claims", kept_body, key="keep-key").content == kept.content
    told = list(Event.objects.order_by("id").values_list("object_id", "type", "sequence"))
    assert [line for line in told if line[0] == claim_id] == [
        (claim_id, "claim.granted", 1), (claim_id, "claim.redeemed", 2),
    ]  # fmt: skip
    said = Event.objects.get(object_id=known.public_id)
    assert (said.type, said.data["status"], said.previous) == (
        "member.erased", "erased", {"status": "erasing"},
    )  # fmt: skip
    assert (said.data["external_id"], said.data["market"], said.data["metadata"]) == (
        None,
        None,
        {},
    )
    # Two references that differed differ still, and neither can be read.
    references = PartnerReference.objects.filter(member_id=person.pk)
    assert len({row.external_id for row in references}) == references.count() == 2
    assert all(row.external_id.startswith("erased_") for row in references)


def test_control_partners_rows_that_are_left_are_found(person, monkeypatch):
    partner = make_partner("acme")
    _hear_of(partner, person, assigned_release(partner, codes=3))
    monkeypatch.setattr("benefits.services.forgetting._forget_what_partners_said", lambda m: None)
    erase(person)
    assert {"public.partners_event", "public.benefits_redemption"} <= set(tables_naming(CANARY))
