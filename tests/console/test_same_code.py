"""One code, given twice at the same moment, opens one session."""

from functools import partial

from django.test import Client
from django_otp.models import Device
from django_otp.oath import totp

from tests.factories import enrol_phone, make_operator
from tests.threads import together
from zone.console.models import OperatorSession
from zone.console.services.factors import find_confirmed_device

PASSWORD = "correct horse battery"
ROUNDS = 5


def test_the_same_code_twice_at_once_opens_one_session(cloned_database):
    for _round in range(ROUNDS):
        operator = make_operator("auditor", password=PASSWORD)
        code = f"{totp(enrol_phone(operator).bin_key):06d}"
        clients = [Client(), Client()]
        for client in clients:
            form = {"username": operator.username, "password": PASSWORD}
            assert client.post("/console/login/", form).status_code == 302

        form = {"code": code}
        answers = together([partial(client.post, "/console/verify", form) for client in clients])

        assert sorted(answer.status_code for answer in answers) == [200, 302]
        assert OperatorSession.objects.filter(user=operator, ended_at=None).count() == 1


def test_without_the_lock_the_harness_sees_the_race(cloned_database):
    """The control: two stale copies of the device both say yes."""
    operator = make_operator("auditor")
    code = f"{totp(enrol_phone(operator).bin_key):06d}"
    stale: list[Device] = [find_confirmed_device(operator), find_confirmed_device(operator)]

    answers = together([partial(device.verify_token, code) for device in stale])

    assert answers == [True, True]
