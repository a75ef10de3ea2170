"""Members in the console: found by any id, helped by named buttons, never edited."""

import pytest
from django.urls import reverse

from tests.factories import make_member, make_operator, sign_in_operator
from tests.members import walk
from zone.core import clock
from zone.members.models import Binding, Member, MemberSession, PartnerMember, Wallet
from zone.members.services import sessions
from zone.partners.models import Partner

pytestmark = pytest.mark.django_db
USER = "2088999900001234"


@pytest.fixture
def support(client):
    operator = make_operator("support")
    sign_in_operator(client, operator)
    return operator


@pytest.fixture
def found(db):
    return make_member(user_id=USER)


def listed(client, term: str) -> list[str]:
    response = client.get(reverse("admin:members_member_changelist"), {"q": term})
    assert response.status_code == 200
    return [row.public_id for row in response.context["cl"].result_list]


def test_search_by_every_id_an_operator_may_be_told(client, support, found, bob):
    partner = Partner.objects.create(name="Shop")
    known = PartnerMember.objects.create(partner=partner, member=found, livemode=True)
    for term in (found.public_id, USER, f"  {USER} ", known.public_id):
        assert listed(client, term) == [found.public_id], term
    assert listed(client, "2088999900009999") == []
    assert listed(client, USER[-4:]) == []


def test_wallet_id_and_name_are_shown_nowhere(client, support, found):
    response = client.get(reverse("admin:members_member_change", args=[found.pk]))
    page = response.content.decode()
    assert response.status_code == 200
    assert USER not in page
    assert "display_name" not in page
    assert f"/members/{found.public_id}/timeline" in page


def press(client, name: str, *members: Member) -> list[str]:
    response = client.post(
        reverse("admin:members_member_changelist"),
        {"action": name, "_selected_action": [member.pk for member in members]},
        follow=True,
    )
    return [str(message) for message in response.context["messages"]]


def test_pause_signs_out_and_go_on_lets_in_again(client, support, found):
    opened = sessions.open_session(member=found, now=clock.now())
    assert press(client, "suspend", found) == [f"paused: {found.public_id}"]
    found.refresh_from_db()
    assert found.status == "suspended"
    assert sessions.find_session(opened.cookie) is None
    assert press(client, "suspend", found) == [f"was not active: {found.public_id}"]
    press(client, "reactivate", found)
    found.refresh_from_db()
    assert found.status == "active"
    assert sessions.find_session(opened.cookie) is None  # Ended is ended.


def test_sign_out_everywhere_ends_each_session(client, support, found):
    for _ in range(3):
        sessions.open_session(member=found, now=clock.now())
    press(client, "end_sessions", found)
    assert not MemberSession.objects.filter(revoked_at__isnull=True).exists()


@pytest.mark.parametrize("role", ["auditor", "platform"])
def test_whoever_only_reads_has_no_buttons(client, found, role):
    sign_in_operator(client, make_operator(role))
    press(client, "suspend", found)
    found.refresh_from_db()
    assert found.status == "active"


@pytest.mark.parametrize(
    "name", ["member", "binding", "bindingattempt", "consent", "membersession"]
)
def test_tables_are_read_only(client, support, alice, name):
    assert client.get(reverse(f"admin:members_{name}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:members_{name}_add")).status_code == 403
    assert client.post(reverse(f"admin:members_{name}_add"), {}).status_code == 403


def test_status_cannot_be_typed_in(client, support, found):
    address = reverse("admin:members_member_change", args=[found.pk])
    assert client.post(address, {"status": "suspended"}).status_code == 403
    found.refresh_from_db()
    assert found.status == "active"


def test_asking_the_wallet_applies_its_word(client):
    member_client, operator_client = client, type(client)()
    walk.sign_in(member_client)
    walk.bind(member_client)
    binding = Binding.objects.get()
    binding.member.wallet.notifies_cancel = False
    binding.member.wallet.save(update_fields=["notifies_cancel"])
    member_client.post("/sandbox/wallet/ALIPAY_CN/account/agreement", {"status": "UNSIGN"})
    sign_in_operator(operator_client, make_operator("support"))
    operator_client.post(
        reverse("admin:members_binding_changelist"),
        {"action": "ask", "_selected_action": [binding.pk]},
    )
    binding.refresh_from_db()
    assert binding.status == "unbound"


def test_wallet_is_opened_by_platform_and_its_money_is_fixed(client, alice):
    sign_in_operator(client, make_operator("platform"))
    address = reverse("admin:members_wallet_change", args=["ALIPAY_CN"])
    page = client.get(address)
    assert page.status_code == 200
    data = {
        "name": "Alipay", "default_language": "zh-hans", "connector": "sandbox",
        "currency": "USD", "sort_weight": "10", "notifies_cancel": "on",
    }  # fmt: skip
    assert client.post(address, data).status_code == 302
    wallet = Wallet.objects.get(code="ALIPAY_CN")
    assert wallet.is_open is False
    assert wallet.currency == "CNY"
    assert client.get("/welcome").context["wallets"][0].code == "ALIPAY_HK"
