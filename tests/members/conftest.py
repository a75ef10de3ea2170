"""One key pair for the sandbox wallets of all tests: making one takes longer than most tests."""

import pytest

from zone.members.sandbox.models import SandboxKey
from zone.members.sandbox.services import messages

_made: list[SandboxKey] = []


@pytest.fixture(autouse=True)
def sandbox_keys(request):
    if "db" not in request.fixturenames and not request.node.get_closest_marker("django_db"):
        return
    request.getfixturevalue("db")
    if not _made:
        messages.public_key("ALIPAY_CN")
        _made.append(SandboxKey.objects.get())
    for code in ("ALIPAY_CN", "ALIPAY_HK"):
        SandboxKey.objects.get_or_create(
            wallet_code=code,
            defaults={
                "private_wrapped": _made[0].private_wrapped,
                "public_pem": _made[0].public_pem,
            },
        )
