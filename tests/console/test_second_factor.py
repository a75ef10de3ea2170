"""The way into the console: password, enrolment, code, recovery code, and out again."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.factories import enrol_phone, make_operator, sign_in_operator
from zone.console.models import AuditEvent, OperatorSession
from zone.console.services import factors
from zone.console.services.factors import CodeRefused, CodeThrottled, check_code

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def code_of(device: TOTPDevice) -> str:
    return f"{totp(device.bin_key):06d}"


def give_password(client: Client, operator: User, password: str = PASSWORD):
    return client.post("/console/login/", {"username": operator.username, "password": password})


def test_password_alone_reaches_only_the_enrolment_page(client):
    operator = make_operator("auditor", password=PASSWORD)

    answer = give_password(client, operator)

    assert (answer.status_code, answer["Location"]) == (302, "/console/verify")
    assert client.get("/console/verify")["Location"] == "/console/enrol?next=%2Fconsole%2F"
    for closed in ["/console/", "/console/members/member/", "/console/step-up"]:
        assert client.get(closed)["Location"].startswith("/console/login/?next=")
    assert OperatorSession.objects.count() == 0


def test_enrolment_shows_a_qr_code_then_ten_recovery_codes_once(client):
    operator = make_operator("auditor", password=PASSWORD)
    give_password(client, operator)
    page = client.get("/console/enrol")
    device = TOTPDevice.objects.get(user=operator)
    assert b"<svg" in page.content
    assert factors.secret_text(device).encode() in page.content
    assert device.confirmed is False

    answer = client.post("/console/enrol", {"code": code_of(device)})

    codes = re.findall(r"<li><code>([a-z0-9-]{14})</code></li>", answer.content.decode())
    assert len(set(codes)) == 10
    assert client.get("/console/").status_code == 200
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == 10
    assert not stored & {code.replace("-", "") for code in codes}
    assert client.get("/console/enrol").content.count(b"<li><code>") == 0


def test_a_code_opens_the_console_with_a_new_session_id(client):
    operator = make_operator("auditor", password=PASSWORD)
    device = enrol_phone(operator)
    give_password(client, operator)
    before = client.cookies["zone_operator"].value

    answer = client.post("/console/verify", {"code": code_of(device), "next": "/console/"})

    assert (answer.status_code, answer["Location"]) == (302, "/console/")
    assert client.cookies["zone_operator"].value != before
    assert client.get("/console/").status_code == 200
    assert list(AuditEvent.objects.values_list("action", flat=True)) == ["signed_in"]


@pytest.mark.parametrize(
    "next_page", ["https://evil.example/", "//evil.example", "/me", "javascript:alert(1)"]
)
def test_the_way_back_stays_in_the_console(client, next_page):
    operator = make_operator("auditor", password=PASSWORD)
    device = enrol_phone(operator)
    give_password(client, operator)

    answer = client.post("/console/verify", {"code": code_of(device), "next": next_page})

    assert answer["Location"] == "/console/"


def test_the_same_code_works_once():
    operator = make_operator("auditor")
    device = enrol_phone(operator)
    code = code_of(device)
    check_code(operator, code)

    with pytest.raises(CodeRefused):
        check_code(operator, code)


def test_wrong_codes_make_the_wait_grow():
    operator = make_operator("auditor")
    device = enrol_phone(operator)
    for _attempt in range(6):
        TOTPDevice.objects.update(throttling_failure_timestamp=None)
        with pytest.raises((CodeRefused, CodeThrottled)):
            check_code(operator, "000000" if code_of(device) != "000000" else "111111")

    with pytest.raises(CodeThrottled) as refusal:
        check_code(operator, code_of(device))

    assert 25 <= refusal.value.facts["seconds"] <= 32  # 2 ** 5 seconds after six failures


def test_a_recovery_code_works_once_and_leaves_the_phone_alone():
    operator = make_operator("auditor")
    device = factors.start_enrolment(operator)
    enrolment = factors.finish_enrolment(operator, code_of(device))
    first = enrolment.recovery_codes[0]

    check_code(operator, first.upper())

    assert factors.count_recovery_codes(operator) == 9
    with pytest.raises(CodeRefused):
        check_code(operator, first)
    device.refresh_from_db()
    assert device.throttling_failure_count == 0


def test_a_recovery_code_of_a_colleague_opens_nothing():
    operator, colleague = make_operator("auditor"), make_operator("support")
    codes = {}
    for each in (operator, colleague):
        device = factors.start_enrolment(each)
        codes[each] = factors.finish_enrolment(each, code_of(device)).recovery_codes

    with pytest.raises(CodeRefused):
        check_code(operator, codes[colleague][0])

    assert factors.count_recovery_codes(colleague) == 10


def test_changing_or_resetting_the_password_does_not_skip_the_code(client):
    operator = make_operator("auditor", password=PASSWORD)
    enrol_phone(operator)
    operator.set_password("another long password")
    operator.save(update_fields=["password"])

    answer = give_password(client, operator, "another long password")

    assert answer["Location"] == "/console/verify"
    assert client.get("/console/")["Location"].startswith("/console/login/")


def test_bad_passwords_lock_one_account_from_one_address(client):
    operator = make_operator("auditor", password=PASSWORD)
    for _attempt in range(6):
        give_password(client, operator, "wrong")

    locked = give_password(client, operator)
    elsewhere = Client(REMOTE_ADDR="198.51.100.7")
    answer = give_password(elsewhere, operator)

    assert locked.status_code == 429
    assert b"fifteen minutes" in locked.content
    assert answer["Location"] == "/console/verify"


@pytest.mark.parametrize(
    ("label", "away", "ending"),
    [
        ("just in time", 14 * 60, ""),
        ("idle", 15 * 60 + 21, "idle"),
        ("a day", 8 * 3600 + 1, "too_long"),
    ],
)
def test_a_session_ends_when_it_should(client, settings, label, away, ending):
    operator = make_operator("auditor")
    session = sign_in_operator(client, operator)
    if ending == "too_long":
        client.get("/console/")
        OperatorSession.objects.update(seen_at=session.started_at + timedelta(seconds=away - 5))
    settings.ZONE_CLOCK_OFFSET_SECONDS = away

    answer = client.get("/console/")

    session.refresh_from_db()
    assert session.ending == ending
    assert (answer.status_code == 200) is (ending == "")
    if ending:
        assert answer["Location"] == f"/console/login/?ended={ending}"


def test_signing_in_elsewhere_ends_the_first_session(client):
    operator = make_operator("auditor")
    first = sign_in_operator(client, operator)
    second = Client()
    sign_in_operator(second, operator)

    assert client.get("/console/")["Location"] == "/console/login/?ended=replaced"
    assert second.get("/console/").status_code == 200
    first.refresh_from_db()
    assert first.ending == "replaced"


def test_another_browser_with_the_same_cookie_is_turned_away(client):
    operator = make_operator("auditor")
    sign_in_operator(client, operator)

    answer = client.get("/console/", headers={"User-Agent": "Mozilla/5.0 (Windows) Firefox/140"})

    assert answer["Location"] == "/console/login/?ended=moved"


def test_signing_out_makes_the_cookie_worthless(client):
    operator = make_operator("auditor")
    sign_in_operator(client, operator)
    cookie = client.cookies["zone_operator"].value

    answer = client.post("/console/logout/")

    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    client.cookies["zone_operator"] = cookie
    assert client.get("/console/")["Location"].startswith("/console/login/")


def test_a_disabled_operator_is_out_at_once(client):
    operator = make_operator("auditor")
    sign_in_operator(client, operator)
    User.objects.filter(pk=operator.pk).update(is_active=False)

    assert client.get("/console/")["Location"].startswith("/console/login/")


def test_a_sensitive_act_asks_for_a_fresh_code(client, settings):
    platform, colleague = make_operator("platform"), make_operator("support")
    device = enrol_phone(platform)
    sign_in_operator(client, platform, device=device)
    page = f"/console/auth/user/{colleague.pk}/password/"
    assert client.get(page).status_code == 200
    settings.ZONE_CLOCK_OFFSET_SECONDS = 5 * 60 + 1

    asked = client.get(page)
    before = client.cookies["zone_operator"].value
    back = client.post(asked["Location"], {"code": code_of(device), "next": page})

    assert asked["Location"].startswith("/console/step-up?next=")
    assert back["Location"] == page
    assert client.cookies["zone_operator"].value != before
    assert client.get(page).status_code == 200


def test_the_console_is_on_its_own_host(client, settings):
    settings.CONSOLE_HOST = "console.example"
    settings.ALLOWED_HOSTS = ["console.example", "zone.example"]

    answers = {
        (host, path): client.get(path, headers={"Host": host}).status_code
        for host in ("console.example", "zone.example")
        for path in ("/console/login/", "/inbox")
    }

    assert answers["console.example", "/console/login/"] == 200
    assert answers["zone.example", "/console/login/"] == 404
    assert answers["console.example", "/inbox"] == 404
    assert answers["zone.example", "/inbox"] == 302  # To the members' way in.
