"""A worker killed while a wallet's voucher is ended: it ends there once, whoever comes next."""

import os
import signal
import subprocess
import sys

import pytest
from django.conf import settings as django_settings

from benefits.models import ProviderEnding
from benefits.services import grants
from benefits.services.endings import revoke_claim
from benefits.services.provider_endings import LEASE
from tests.benefits.books import assert_books_hold
from tests.benefits.conftest import Issuer
from tests.benefits.factories import claim, give_credits
from tests.benefits.test_wallet_vouchers import make_voucher_release, status_of
from tests.factories import bind, make_member
from zone.core.clock import database_now

pytestmark = pytest.mark.slow
DRAIN = (
    "import django; django.setup();"
    "from benefits.services.provider_endings import drain_provider_endings;"
    "drain_provider_endings()"
)


@pytest.fixture
def wallet(tmp_path, settings):
    issuer = Issuer(tmp_path)
    issuer.start()
    settings.SANDBOX_ISSUER_URL = issuer.url
    yield issuer
    issuer.kill()


@pytest.fixture
def taken_away(cloned_database, wallet):
    """A voucher in its owner's wallet that an operator took away here."""
    member = make_member()
    bind(member)
    give_credits(member, 100)
    sent = claim(member, make_voucher_release())
    grants.drain_grants()
    sent.refresh_from_db()
    revoke_claim(claim=sent, reason="fraud", actor="operator:x", now=database_now())
    return sent


def drain(database, wallet, **env):
    return subprocess.run(
        [sys.executable, "-c", DRAIN],
        env={
            **os.environ, **database.env, "DJANGO_SETTINGS_MODULE": "zone.settings",
            "SANDBOX_ISSUER_URL": wallet.url, **env,
        },
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        timeout=120,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failpoint", "status"),
    [("ending_after_lease", "ENABLED"), ("ending_after_provider", "DISABLED")],
)
def test_a_killed_worker_leaves_it_to_the_next(
    cloned_database, wallet, taken_away, failpoint, status
):
    died = drain(cloned_database, wallet, ZONE_FAILPOINT=failpoint)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert status_of(wallet, taken_away) == status
    ending = ProviderEnding.objects.get()
    assert (ending.outcome, ending.attempts) == ("", 1)
    assert database_now() < ending.next_attempt_at <= database_now() + LEASE
    assert_books_hold()
    assert drain(cloned_database, wallet).returncode == 0
    assert ProviderEnding.objects.get().attempts == 1, "not while it may still be under way"
    ProviderEnding.objects.update(next_attempt_at=database_now())
    assert drain(cloned_database, wallet).returncode == 0
    ending = ProviderEnding.objects.get()
    assert (ending.outcome, ending.next_attempt_at, ending.attempts) == ("ended", None, 2)
    assert status_of(wallet, taken_away) == "DISABLED"
    assert_books_hold()


def test_control_without_the_row_it_stays_in_the_wallet_and_the_books_say_so(
    cloned_database, wallet, taken_away
):
    ProviderEnding.objects.all().delete()
    assert drain(cloned_database, wallet).returncode == 0
    assert status_of(wallet, taken_away) == "ENABLED"
    books = cloned_database.manage("verify_books")
    assert (books.returncode, "FAIL I49" in books.stdout) == (1, True), books.stdout
