"""Signing in: from the welcome page through the sandbox wallet and back."""

from datetime import timedelta

import pytest
from django.conf import settings

from tests.members import walk
from zone.core import clock
from zone.members.models import Consent, Member, MemberSession, Wallet, WalletVisit
from zone.members.sandbox.models import SandboxAccount
from zone.members.sandbox.services.accounts import ensure_account, user_id_of
from zone.members.services.identities import find_member

pytestmark = pytest.mark.django_db


def nothing_happened() -> bool:
    return not (
        Member.objects.exists() or MemberSession.objects.exists() or Consent.objects.exists()
    )


def test_welcome_lists_open_wallets_in_order_and_asks_unticked(client):
    response = client.get("/welcome")
    assert [wallet.code for wallet in response.context["wallets"]] == [
        "ALIPAY_CN", "ALIPAY_HK", "GCASH",
    ]  # fmt: skip
    page = response.content.decode()
    assert "checked" not in page
    assert "Touch" in page  # Wallets that are not open are named as such.


def test_whole_way_signs_a_new_member_in(client):
    params = walk.come_back(client, next_path="/credits")
    confirm = client.get("/welcome/return", params)
    assert confirm.status_code == 200
    person = SandboxAccount.objects.get()
    assert f"••••{person.last_four}" in confirm.content.decode()
    assert nothing_happened()  # Looking at the return writes nothing.

    response = client.post("/welcome/return", params)
    assert response.status_code == 303
    assert response["Location"] == "/welcome/done?next=%2Fcredits"
    member = Member.objects.get()
    assert find_member(wallet_code="ALIPAY_CN", user_id=user_id_of(person)) == member
    assert (member.display_name, member.storefront, member.time_zone) == (
        "Mei", "CHN", "Asia/Shanghai",
    )  # fmt: skip
    assert member.first_signed_in_at is not None
    assert member.welcomed_at is None
    assert member.identities.get().history_linked_at is None
    assert len(bytes(member.person_token)) == 32
    done = client.get("/welcome/done?next=/credits")
    assert done.context["member"] == member
    assert done.context["next_path"] == "/credits"


def test_returning_member_goes_straight_on(client):
    walk.sign_in(client)
    person = SandboxAccount.objects.get()
    client.post("/sign-out")
    response = walk.sign_in(client, person=person, next_path="/me/wallet")
    assert response["Location"] == "/me/wallet"
    assert Member.objects.count() == 1


def test_consents_are_written_per_purpose_with_evidence(client):
    walk.sign_in(client)
    consents = Consent.objects.order_by("purpose")
    assert [each.purpose for each in consents] == ["account", "credits", "transactions"]
    for each in consents:
        assert (each.policy_version, each.language) == ("2026-11-01", "en")
        assert each.evidence["page"] == "/welcome"
        assert each.evidence["messages_box"] is False
        assert each.evidence["request_id"].startswith("req_")


def test_messages_box_adds_its_own_purpose_and_signing_in_again_adds_none(client):
    params = walk.come_back(client, messages="yes")
    client.post("/welcome/return", params)
    assert Consent.objects.filter(purpose="marketing").count() == 1
    person = SandboxAccount.objects.get()
    client.post("/sign-out")
    walk.sign_in(client, person=person)
    assert Consent.objects.count() == 4


def test_without_the_box_nothing_starts(client):
    response = client.post("/welcome/leave", {"wallet": "ALIPAY_CN", "next": "/"})
    assert response.status_code == 422
    assert "Please agree to the member terms" in response.content.decode()
    assert not WalletVisit.objects.exists()


def test_closed_and_unknown_wallets(client):
    response = walk.set_out(client, wallet="TNG")
    assert response.status_code == 409
    assert "not open here yet" in response.content.decode()
    assert walk.set_out(client, wallet="NOPE").status_code == 404
    assert not WalletVisit.objects.exists()


def test_sandbox_off_means_closed(client, settings):
    settings.ZONE_SANDBOX = False
    response = walk.set_out(client)
    assert response.status_code == 409
    assert not WalletVisit.objects.exists()
    assert client.get("/sandbox/wallet/ALIPAY_CN/account").status_code == 404


def test_leaving_answers_with_a_plain_link_to_the_wallet(client):
    response = walk.set_out(client)
    assert response.status_code == 200
    address = walk.link_of(response)
    assert address.startswith("/sandbox/wallet/ALIPAY_CN/authorise?")
    assert f'href="{address.replace("&", "&amp;")}"' in response.content.decode()


def test_state_is_kept_as_a_hash_with_256_bits(client):
    states = {walk.question_of(walk.link_of(walk.set_out(client)))["state"] for _ in range(20)}
    assert len(states) == 20
    assert {len(state) for state in states} == {43}
    visit = WalletVisit.objects.first()
    assert len(bytes(visit.state_hash)) == 32
    assert visit.expires_at - visit.created_at == timedelta(minutes=10)


def test_return_is_good_once(client):
    params = walk.come_back(client)
    assert client.post("/welcome/return", params).status_code == 303
    client.post("/sign-out")
    again = client.post("/welcome/return", params)
    assert again.status_code == 410
    assert MemberSession.objects.count() == 1


def test_second_tab_of_somebody_signed_in_goes_home(client):
    params = walk.come_back(client)
    client.post("/welcome/return", params)
    again = client.post("/welcome/return", params)
    assert (again.status_code, again["Location"]) == (302, "/")
    assert MemberSession.objects.count() == 1


def test_two_trips_at_once_both_arrive(client):
    first, second = walk.link_of(walk.set_out(client)), walk.link_of(walk.set_out(client))
    walk.choose(client, first)
    assert client.get("/welcome/return", walk.answer(client, first)).status_code == 200
    assert client.get("/welcome/return", walk.answer(client, second)).status_code == 200


ALTERED = [
    ("state of nobody", lambda p: {**p, "state": "x" * 43}, 410),
    ("no state", lambda p: {k: v for k, v in p.items() if k != "state"}, 410),
    ("another code", lambda p: {**p, "auth_code": "y" * 32}, 400),
    ("another account", lambda p: {**p, "account": "••••0000"}, 400),
    ("another region", lambda p: {**p, "storefront": "USA"}, 400),
    ("another wallet", lambda p: {**p, "app_wallet": "GCASH"}, 400),
    ("another purpose", lambda p: {**p, "purpose": "bind"}, 400),
    ("a no made a yes", lambda p: {**p, "result": "AGREED "}, 400),
    ("another time", lambda p: {**p, "timestamp": "2031-01-01T00:00:00+00:00"}, 400),
    ("no signature", lambda p: {k: v for k, v in p.items() if k != "sign"}, 400),
    ("empty signature", lambda p: {**p, "sign": ""}, 400),
    ("another algorithm", lambda p: {**p, "sign_type": "RSA"}, 400),
    ("one more parameter", lambda p: {**p, "extra": "1"}, 400),
    ("signature of other bytes", lambda p: {**p, "sign": p["sign"][::-1]}, 400),
]


@pytest.mark.parametrize(("label", "alter", "status"), ALTERED, ids=[row[0] for row in ALTERED])
@pytest.mark.parametrize("method", ["get", "post"])
def test_altered_return_is_refused_and_can_still_be_used_unaltered(
    client, label, alter, status, method
):
    params = walk.come_back(client)
    response = getattr(client, method)("/welcome/return", alter(params))
    assert response.status_code == status
    assert nothing_happened()
    assert settings.MEMBER_COOKIE_NAME not in response.cookies
    assert client.post("/welcome/return", params).status_code == 303


def test_parameter_that_comes_twice_is_refused(client):
    params = walk.come_back(client)
    response = client.get("/welcome/return", {**params, "state": [params["state"]] * 2})
    assert response.status_code == 400


def test_return_in_another_browser_is_refused(client):
    params = walk.come_back(client)
    stranger = type(client)()
    assert stranger.post("/welcome/return", params).status_code == 410
    stranger.cookies[settings.VISIT_COOKIE_NAME] = "z" * 43
    assert stranger.post("/welcome/return", params).status_code == 410
    assert nothing_happened()


def test_return_after_ten_minutes_is_refused(client):
    params = walk.come_back(client)
    WalletVisit.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert client.post("/welcome/return", params).status_code == 410
    assert nothing_happened()


def test_code_trades_once_even_under_a_second_state(client):
    """A signature lifted from one return does not fit another trip."""
    first = walk.come_back(client)
    second = walk.come_back(client, person=SandboxAccount.objects.get())
    mixed = {**second, "auth_code": first["auth_code"]}
    assert client.post("/welcome/return", mixed).status_code == 400


@pytest.mark.parametrize("reason", ["USER_CANCELLED", "MAINTENANCE", "RISK_REJECTED"])
def test_refusal_in_the_wallet_is_explained_and_changes_nothing(client, reason):
    address = walk.link_of(walk.set_out(client))
    walk.choose(client, address)
    params = walk.answer(client, address, reason)
    assert "auth_code" not in params
    response = client.get("/welcome/return", params)
    assert response.status_code == 200
    assert response.context["advice"].title
    assert 'role="alert"' in response.content.decode()
    assert nothing_happened()


@pytest.mark.parametrize(("status", "may"), [("suspended", False), ("erasing", True)])
def test_paused_membership_stays_out(client, status, may):
    walk.sign_in(client)
    person = SandboxAccount.objects.get()
    client.post("/sign-out")
    Member.objects.update(status=status)
    response = walk.sign_in(client, person=person)
    assert (response.status_code == 303) is may
    if not may:
        assert response.status_code == 409
        assert "paused" in response.content.decode()
        assert MemberSession.objects.filter(revoked_at__isnull=True).count() == 0


def test_same_person_in_two_wallets_is_two_members_of_one_natural_person(client):
    user_id = "2088000000000042"
    for code in ("ALIPAY_CN", "ALIPAY_HK"):
        wallet = Wallet.objects.get(code=code)
        walk.sign_in(client, wallet=code, person=ensure_account(wallet=wallet, user_id=user_id))
        client.post("/sign-out")
    first, second = Member.objects.order_by("id")
    assert (first.wallet_id, second.wallet_id) == ("ALIPAY_CN", "ALIPAY_HK")
    assert bytes(first.person_token) == bytes(second.person_token)


def test_signing_in_again_changes_the_session(client):
    walk.sign_in(client)
    before = client.cookies[settings.MEMBER_COOKIE_NAME].value
    walk.sign_in(client, person=SandboxAccount.objects.get())
    after = client.cookies[settings.MEMBER_COOKIE_NAME].value
    assert before != after
    client.cookies[settings.MEMBER_COOKIE_NAME] = before
    assert client.get("/me/wallet").status_code == 302
    client.cookies[settings.MEMBER_COOKIE_NAME] = after
    assert client.get("/me/wallet").status_code == 200


@pytest.mark.parametrize(
    ("address", "goes_to"),
    [
        ("/credits", "/credits"),
        ("/benefits?kind=free", "/benefits?kind=free"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example/", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/%5cevil.example", "/%5cevil.example"),
        ("\t//evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("evil.example", "/"),
        ("", "/"),
        ("/console/", "/"),
        ("/api/v1/members", "/"),
        ("/" + "a" * 600, "/"),
    ],
)
def test_next_stays_on_this_site(client, address, goes_to):
    response = client.get("/welcome", {"next": address})
    assert response.context["next_path"] == goes_to
    walk.sign_in(client)
    client.post("/sign-out")
    arrived = walk.sign_in(client, person=SandboxAccount.objects.get(), next_path=address)
    assert arrived["Location"] == goes_to


def test_member_cookie_attributes(client):
    response = walk.sign_in(client)
    cookie = response.cookies[settings.MEMBER_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert not cookie["secure"]  # Loopback http.
    assert 179 * 86400 < cookie["max-age"] <= 180 * 86400
    assert cookie["domain"] == ""


def test_member_cookie_on_https(client, settings):
    settings.IS_HTTPS = True
    settings.MEMBER_COOKIE_NAME = "__Host-zone_member"
    settings.VISIT_COOKIE_NAME = "__Host-zone_visit"
    response = walk.sign_in(client)
    cookie = response.cookies["__Host-zone_member"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_sign_out_ends_the_session_on_both_sides(client):
    walk.sign_in(client)
    value = client.cookies[settings.MEMBER_COOKIE_NAME].value
    response = client.post("/sign-out")
    assert (response.status_code, response["Location"]) == (303, "/welcome")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert response.cookies[settings.MEMBER_COOKIE_NAME].value == ""
    client.cookies[settings.MEMBER_COOKIE_NAME] = value
    assert client.get("/me/wallet").status_code == 302
    assert client.post("/sign-out").status_code == 303  # Safe to repeat.


def test_signing_out_needs_a_form(client):
    walk.sign_in(client)
    assert client.get("/sign-out").status_code == 405
    assert client.get("/me/wallet").status_code == 200


def test_forms_need_a_token():
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    for path in ("/welcome/leave", "/welcome/return", "/sign-out"):
        assert strict.post(path, {"wallet": "ALIPAY_CN", "agree": "yes"}).status_code == 403
    assert not WalletVisit.objects.exists()
