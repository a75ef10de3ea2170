"""The seeded Zone: the same people each time, sound books, and nothing twice."""

import json
import stat
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import pairwise

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db.models import Count, Sum

from benefits.models import Benefit, Claim, FairDraw
from credits.models import Account, Entry
from zone.console.models import BooksCheck
from zone.console.roles import ROLES
from zone.console.seed.people import draw_people
from zone.console.seed.purchases import tell_purchases
from zone.core import clock
from zone.history.models import Charge, Refund, RejectedMessage, Subscription
from zone.members.models import Binding, Member
from zone.members.services.identities import find_member
from zone.partners.services.keys import find_key

NOW = datetime(2026, 11, 20, 13, 0, tzinfo=UTC)


def test_the_same_day_tells_the_same_story():
    first, second = draw_people(scale=0.2, now=NOW), draw_people(scale=0.2, now=NOW)

    assert first == second
    for one, other in zip(first, second, strict=True):
        assert tell_purchases(one, NOW) == tell_purchases(other, NOW)


def test_wallets_have_their_share_and_no_id_twice():
    people = draw_people(scale=1, now=NOW)

    counts = {
        wallet: sum(each.wallet == wallet for each in people)
        for wallet in ("ALIPAY_CN", "ALIPAY_HK", "GCASH")
    }
    assert counts == {"ALIPAY_CN": 240, "ALIPAY_HK": 100, "GCASH": 80}
    assert len({(each.wallet, each.user_id) for each in people}) == 420


def test_subscriptions_are_charged_on_the_same_day_of_the_month():
    person = draw_people(scale=1, now=NOW)[0]
    renewals = [
        datetime.fromisoformat(told.body["payTime"])
        for told in tell_purchases(person, NOW)
        if told.body.get("lines") and told.body["lines"][0]["service"] == "ICLOUD_PLUS"
    ]

    assert len(renewals) >= 11
    assert len({moment.day for moment in renewals if moment.day < 28}) <= 1
    gaps = [(b - a).days for a, b in pairwise(renewals)]
    assert all(27 <= gap <= 35 for gap in gaps)


@pytest.fixture
def seeded(cloned_database, settings, tmp_path):
    settings.ZONE_DATA = tmp_path
    settings.MEDIA_ROOT = tmp_path / "media"
    call_command("seed_zone", scale=0.03, stdout=StringIO())
    return tmp_path / "demo-access.json"


@pytest.mark.slow
def test_a_small_zone_is_whole(seeded, settings):
    assert settings.ZONE_CLOCK_OFFSET_SECONDS == 0
    assert abs(clock.database_now() - datetime.now(tz=UTC)) < timedelta(seconds=5)
    check = BooksCheck.objects.get()
    assert check.status == "clean", check.report
    assert Member.objects.values("wallet").annotate(count=Count("id")).count() == 3
    assert Binding.objects.filter(status="active").exists()
    assert Charge.objects.filter(member=None).count() == 0
    assert Charge.objects.filter(credited_at=None).count() == 0
    assert RejectedMessage.objects.count() == 0
    assert Refund.objects.filter(state="applied", credited_at=None).count() == 0
    assert {"active", "trial", "grace"} <= set(
        Subscription.objects.values_list("status", flat=True)
    )
    assert Entry.objects.filter(kind=7).exists()  # Credits of more than a year ago have ended.
    assert Account.objects.aggregate(total=Sum("available"))["total"] > 0
    assert Account.objects.filter(debt__gt=0).exists()
    assert {"granted", "redeemed"} <= set(Claim.objects.values_list("state", flat=True))
    assert Benefit.objects.filter(artwork={}).count() == 0
    draw = FairDraw.objects.get()
    assert (draw.phase_at(clock.database_now()), draw.entry_by) == ("open", "ticket")
    ticket = Benefit.objects.get(kind="draw_ticket")
    assert (ticket.status, ticket.detail) == ("live", {"draw": draw.public_id})
    assert draw.entries.count() == Claim.objects.filter(mode="draw", state="granted").count() > 0
    assert Charge.objects.filter(paid_at__gt=datetime.now(tz=UTC)).count() == 0

    access = json.loads(seeded.read_text(encoding="utf-8"))
    assert stat.S_IMODE(seeded.stat().st_mode) == 0o600
    assert [each["role"] for each in access["operators"]] == list(ROLES)
    for each in access["operators"]:
        operator = User.objects.get(username=each["username"])
        assert operator.check_password(each["password"])
        assert not operator.is_superuser
    partner = access["partner"]
    assert find_key(key_id=partner["key_id"], secret=partner["key_secret"]) is not None
    assert len(access["members"]) == 15
    for each in access["members"]:
        member = find_member(wallet_code=each["wallet"], user_id=each["user_id"])
        assert member is not None
        if each["why"].startswith("bound for a year"):
            in_hand = Claim.objects.filter(member=member, state="granted", revealed_at=None)
            assert in_hand.count() >= 2, each  # A code not looked at and a trial.

    before = seeded.read_text(encoding="utf-8"), Member.objects.count(), Charge.objects.count()
    said = StringIO()
    call_command("seed_zone", scale=0.03, stdout=said)
    assert "nothing to do" in said.getvalue()
    assert (
        seeded.read_text(encoding="utf-8"),
        Member.objects.count(),
        Charge.objects.count(),
    ) == before


@pytest.mark.django_db
def test_production_and_a_zone_in_use_are_left_alone(alice, settings, tmp_path):
    settings.ZONE_DATA = tmp_path
    with pytest.raises(CommandError, match="members already"):
        call_command("seed_zone")
    settings.IS_PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("seed_zone")

    assert Member.objects.count() == 1
    assert list(tmp_path.iterdir()) == []
