"""Binding by the member's own way: guide, wallet, back, done; and out again."""

from datetime import timedelta

import pytest

from tests.members import walk
from zone.core import clock
from zone.members.models import (
    BindFailureReason,
    Binding,
    BindingAttempt,
    BindingStep,
    Member,
    WalletVisit,
)
from zone.members.queries import has_active_binding
from zone.members.sandbox.models import SandboxAccount, SandboxAgreement
from zone.members.services import attempts
from zone.members.services.bindings import ask_wallet_about_due, close_overdue_bindings

pytestmark = pytest.mark.django_db


@pytest.fixture
def mei(client):
    """Somebody signed in and not bound."""
    walk.sign_in(client)
    return Member.objects.get()


def steps() -> list[str]:
    return list(BindingStep.objects.order_by("at", "id").values_list("name", flat=True))


def test_guide_names_the_steps_and_writes_nothing(client, mei):
    page = client.get("/bind?entry=benefit:icloud&next=/benefits/icloud")
    assert page.status_code == 200
    assert len(page.context["steps"]) == 3
    assert not Binding.objects.exists()
    assert not BindingAttempt.objects.exists()


def test_whole_way_binds(client, mei):
    client.get("/bind")
    address = walk.leave_to_bind(client, entry="benefit:icloud", next="/benefits/icloud")
    binding = Binding.objects.get()
    assert (binding.status, binding.storefront) == ("pending", "CHN")
    agreement_page = client.get(address)
    assert "Password-free payment" in agreement_page.content.decode()
    params = walk.answer(client, address)
    assert client.get("/bind/return", params).status_code == 200
    response = client.post("/bind/return", params)
    assert (response.status_code, response["Location"]) == (303, "/bind/done")
    binding.refresh_from_db()
    agreement = SandboxAgreement.objects.get()
    assert binding.status == "active"
    assert binding.agreement_reference == agreement.agreement_no
    assert agreement.external_agreement_no == binding.public_id
    assert binding.account_masked == SandboxAccount.objects.get().account_masked
    assert binding.bound_at == agreement.signed_at
    assert has_active_binding(mei)
    done = client.get("/bind/done")
    assert done.context["next_path"] == "/benefits/icloud"
    assert done.context["seconds"] >= 1
    attempt = BindingAttempt.objects.get()
    assert (attempt.outcome, attempt.entry, attempt.binding) == (
        "succeeded", "benefit:icloud", binding,
    )  # fmt: skip
    assert set(steps()) == {
        "bind_flow_started", "bind_step_viewed", "bind_left_for_wallet", "bind_succeeded",
    }  # fmt: skip


def test_notification_alone_binds_when_the_browser_never_comes_back(client, mei):
    walk.answer(client, walk.leave_to_bind(client))
    assert has_active_binding(mei)
    assert client.get("/bind").status_code == 302
    assert client.get("/bind/status", headers={"HX-Request": "true"})["HX-Redirect"] == "/bind/done"


@pytest.mark.parametrize("reason", BindFailureReason.values)
def test_each_failure_is_recorded_and_advised_and_can_be_retried(client, mei, reason):
    response = walk.bind(client, reason)
    assert (response.status_code, response["Location"]) == (303, "/bind")
    failed = Binding.objects.get()
    assert (failed.status, failed.failure_reason) == ("failed", reason)
    attempt = BindingAttempt.objects.get()
    assert (attempt.outcome, attempt.failure_reason) == ("open", reason)
    step = BindingStep.objects.get(name="bind_failed")
    assert step.facts == {"reason": reason, "binding": failed.public_id}
    page = client.get("/bind")
    assert page.context["advice"].sentence
    assert 'role="alert"' in page.content.decode()
    assert not SandboxAgreement.objects.exists()

    assert walk.bind(client)["Location"] == "/bind/done"
    failed.refresh_from_db()
    assert failed.status == "failed"  # A new try is a new row.
    assert Binding.objects.count() == 2
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.failure_reason) == ("succeeded", "")
    assert BindingAttempt.objects.count() == 1  # One try, from first entry to success.


def test_leaving_twice_resumes_the_same_binding(client, mei):
    walk.leave_to_bind(client)
    page = client.get("/bind")
    assert page.context["is_waiting"] is True
    assert "Waiting for your wallet" in page.content.decode()
    address = walk.leave_to_bind(client)
    assert Binding.objects.count() == BindingAttempt.objects.count() == 1
    client.post("/bind/return", walk.answer(client, address))
    assert has_active_binding(mei)


def test_return_is_good_once_and_the_second_tab_sees_success(client, mei):
    params = walk.answer(client, walk.leave_to_bind(client))
    client.post("/bind/return", params)
    before = steps()
    again = client.post("/bind/return", params)
    assert again["Location"] == "/bind/done"
    assert steps() == before
    assert Binding.objects.count() == 1


@pytest.mark.parametrize("name", ["result", "auth_code", "storefront", "timestamp", "sign"])
def test_altered_return_is_refused(client, mei, name):
    params = walk.answer(client, walk.leave_to_bind(client), "NETWORK")
    response = client.post("/bind/return", {**params, name: "AGREED"})
    assert response.status_code == 400
    assert Binding.objects.get().status == "pending"


def test_sign_in_return_does_not_bind(client, mei):
    params = walk.come_back(client, person=SandboxAccount.objects.get())
    assert client.post("/bind/return", params).status_code == 410


def test_another_members_return_is_refused(client, mei):
    params = walk.answer(client, walk.leave_to_bind(client), "NETWORK")
    other = type(client)()
    walk.sign_in(other)
    assert other.post("/bind/return", params).status_code == 410
    assert Binding.objects.get().status == "pending"


def test_another_wallet_account_is_an_identity_mismatch(client, mei):
    address = walk.leave_to_bind(client)
    walk.choose(client, address, name="Somebody else")
    response = client.post("/bind/return", walk.answer(client, address))
    assert response["Location"] == "/bind"
    assert Binding.objects.get().failure_reason == "IDENTITY_MISMATCH"
    assert not has_active_binding(mei)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [({"storefront": "USA"}, "STOREFRONT_MISMATCH"), ({"is_adult": False}, "UNDER_AGE")],
)
def test_person_whom_the_wallet_cannot_let_agree(client, mei, facts, reason):
    SandboxAccount.objects.update(**facts)
    assert walk.bind(client)["Location"] == "/bind"
    assert Binding.objects.get().failure_reason == reason
    assert not SandboxAgreement.objects.exists()


def test_pending_fails_after_thirty_minutes_and_late_news_makes_a_new_row(client, mei):
    address = walk.leave_to_bind(client)
    old = Binding.objects.get()
    assert close_overdue_bindings(clock.database_now() + timedelta(minutes=29)) == 0
    assert close_overdue_bindings(clock.database_now() + timedelta(minutes=31)) == 1
    old.refresh_from_db()
    assert (old.status, old.failure_reason) == ("failed", "UNKNOWN")
    walk.answer(client, address)  # The wallet's notification comes after all.
    old.refresh_from_db()
    assert old.status == "failed"
    assert has_active_binding(mei)
    assert Binding.objects.count() == 2


def test_binding_past_its_validity_has_expired(client, mei):
    walk.bind(client)
    Binding.objects.update(valid_until=clock.now() + timedelta(days=1))
    assert has_active_binding(mei)
    Binding.objects.update(valid_until=clock.now() - timedelta(seconds=1))
    assert not has_active_binding(mei)  # From that instant, before any sweep.
    assert close_overdue_bindings(clock.database_now()) == 1
    assert Binding.objects.get().status == "expired"
    assert close_overdue_bindings(clock.database_now()) == 0


def test_not_now_closes_the_try(client, mei):
    walk.leave_to_bind(client, next="/credits")
    response = client.post("/bind/cancel")
    assert response["Location"] == "/credits"
    assert BindingAttempt.objects.get().outcome == "canceled"
    assert Binding.objects.get().status == "failed"
    assert "bind_canceled" in steps()


@pytest.mark.parametrize(
    ("word", "outcome", "last"),
    [(None, "abandoned", "bind_abandoned"), ("OTP_FAILED", "failed", "bind_failed")],
)
def test_idle_try_is_closed(client, mei, word, outcome, last):
    address = walk.leave_to_bind(client)
    if word:
        client.post("/bind/return", walk.answer(client, address, word))
    later = clock.database_now() + timedelta(minutes=31)
    assert attempts.close_idle_attempts(now=clock.database_now()) == 0
    assert attempts.close_idle_attempts(now=later) == 1
    assert BindingAttempt.objects.get().outcome == outcome
    assert steps()[-1] == last
    assert attempts.close_idle_attempts(now=later) == 0


def test_time_on_task_begins_when_the_guide_was_seen(client, mei):
    page = client.get("/bind")
    seen_at = page.context["viewed_at"]
    walk.leave_to_bind(client, viewed_at=seen_at)
    attempt = BindingAttempt.objects.get()
    assert attempt.started_at < attempt.last_step_at
    forged = client.post("/bind/seen", {"step": "guide", "viewed_at": "1:forged"})
    assert forged.status_code == 204


def test_seeing_a_step_is_one_event_and_unknown_steps_are_none(client, mei):
    for step in ("guide", "guide", "nonsense"):
        assert client.post("/bind/seen", {"step": step, "entry": "home"}).status_code == 204
    assert steps() == ["bind_flow_started", "bind_step_viewed"]
    assert BindingAttempt.objects.get().entry == "home"


def test_unknown_answer_is_asked_about_until_it_is_known(client, mei):
    """The browser says yes and the wallet does not know yet: pending, then asked again."""
    address = walk.leave_to_bind(client)
    params = walk.answer(client, address, "agree")
    agreement = SandboxAgreement.objects.get()
    number = agreement.agreement_no
    agreement.delete()
    Binding.objects.update(status="pending", agreement_reference=None, bound_at=None)
    response = client.post("/bind/return", params)
    assert response["Location"] == "/bind"
    binding = Binding.objects.get()
    assert binding.status == "pending"
    assert binding.next_query_at is not None
    now = clock.database_now()
    assert ask_wallet_about_due(now=now) == 0
    assert ask_wallet_about_due(now=now + timedelta(seconds=6)) == 1
    binding.refresh_from_db()
    assert (binding.status, binding.query_count) == ("pending", 1)
    agreement.pk = None
    agreement.agreement_no = number
    agreement.save()
    assert ask_wallet_about_due(now=now + timedelta(seconds=60)) == 1
    binding.refresh_from_db()
    assert (binding.status, binding.agreement_reference) == ("active", number)


def test_agreement_made_before_the_first_visit_is_adopted(client):
    walk.sign_in(client)
    walk.bind(client)
    person = SandboxAccount.objects.get()
    BindingAttempt.objects.update(binding=None)
    WalletVisit.objects.all().delete()
    Binding.objects.all().delete()
    client.post("/sign-out")
    walk.sign_in(client, person=person)
    assert has_active_binding(Member.objects.get())


def test_unbind_names_what_is_lost_asks_and_ends(client, mei):
    walk.bind(client)
    page = client.get("/me/wallet/unbind").content.decode()
    assert "does not cancel them" in page
    unticked = client.post("/me/wallet/unbind", {})
    assert unticked.status_code == 422
    assert has_active_binding(mei)
    response = client.post("/me/wallet/unbind", {"confirm": "yes"})
    assert (response.status_code, response["Location"]) == (303, "/me/wallet")
    binding, agreement = Binding.objects.get(), SandboxAgreement.objects.get()
    assert (binding.status, agreement.status) == ("unbound", "UNSIGN")
    assert binding.unbound_at == agreement.changed_at
    again = client.post("/me/wallet/unbind", {"confirm": "yes"})
    assert again.status_code == 409
    assert "No wallet linked" in client.get("/me/wallet").content.decode()


def test_refused_unbinding_changes_nothing(client, mei):
    walk.bind(client)
    SandboxAccount.objects.update(allows_unbinding=False)
    before = Binding.objects.values("status", "status_occurred_at", "unbound_at").get()
    response = client.post("/me/wallet/unbind", {"confirm": "yes"})
    assert response.status_code == 409
    assert "Apple still needs this wallet" in response.content.decode()
    assert Binding.objects.values("status", "status_occurred_at", "unbound_at").get() == before
    assert SandboxAgreement.objects.get().status == "NORMAL"


def test_binding_again_is_a_new_row(client, mei):
    walk.bind(client)
    client.post("/me/wallet/unbind", {"confirm": "yes"})
    assert walk.bind(client)["Location"] == "/bind/done"
    assert list(Binding.objects.order_by("id").values_list("status", flat=True)) == [
        "unbound", "active",
    ]  # fmt: skip
    assert client.post("/bind/leave", {})["Location"] == "/me/wallet"  # Already bound.


@pytest.mark.parametrize(
    ("pressed", "status"), [("STOP", "suspended"), ("UNSIGN", "unbound"), ("NORMAL", "active")]
)
def test_change_in_the_wallet_is_heard(client, mei, pressed, status):
    walk.bind(client)
    client.post("/sandbox/wallet/ALIPAY_CN/account/agreement", {"status": pressed})
    assert Binding.objects.get().status == status


def test_paused_binding_comes_back(client, mei):
    walk.bind(client)
    for pressed in ("STOP", "NORMAL"):
        client.post("/sandbox/wallet/ALIPAY_CN/account/agreement", {"status": pressed})
    assert has_active_binding(mei)


def test_silent_wallet_is_found_out_by_asking(client, mei):
    """Not every wallet tells of a cancel on its side."""
    walk.bind(client)
    mei.wallet.notifies_cancel = False
    mei.wallet.save(update_fields=["notifies_cancel"])
    client.post("/sandbox/wallet/ALIPAY_CN/account/agreement", {"status": "UNSIGN"})
    assert has_active_binding(mei)
    assert ask_wallet_about_due(now=clock.database_now() + timedelta(days=8)) == 1
    assert not has_active_binding(mei)
    assert Binding.objects.get().status == "unbound"


def test_wallet_refuses_unbinding_on_its_own_page(client, mei):
    walk.bind(client)
    client.post("/sandbox/wallet/ALIPAY_CN/account/unbinding", {"allows": "no"})
    response = client.post("/sandbox/wallet/ALIPAY_CN/account/agreement", {"status": "UNSIGN"})
    assert response.status_code == 409
    assert has_active_binding(mei)
