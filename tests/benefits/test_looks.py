"""Looking as a member: the same verdict as at every door, nothing written, every fault named."""

import random

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.utils import InternalError
from django.urls import reverse

from benefits import queries
from benefits.models import (
    Benefit,
    BenefitEvent,
    BenefitText,
    Budget,
    BudgetShare,
    Claim,
    ClaimEvent,
    PriceRow,
    Quota,
)
from benefits.queries import find_open_release
from benefits.services.readiness import list_findings
from benefits.services.rules import set_rule
from credits import ledger
from tests.api.caller import Caller, make_partner
from tests.benefits.factories import claim, give_credits, make_benefit, make_release, soon
from tests.benefits.population import settle
from tests.benefits.test_rule_builder import random_rule
from tests.factories import make_operator, sign_in_operator
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.ids import uuid7
from zone.members.services.partner_members import introduce_member

pytestmark = pytest.mark.django_db
MEMBERS, BENEFITS = 40, 25


def address(benefit, page, **asked):
    return reverse(f"admin:benefits_benefit_{page}", args=[benefit.pk]), asked


@pytest.fixture
def staff(client):
    operator = make_operator("support")
    operator.groups.add(Group.objects.get(name="editor"))
    sign_in_operator(client, operator)
    return client


def many_benefits(partner, dice):
    """Benefits that differ in rule, price, stock, window and limits."""
    made = []
    for place in range(BENEFITS):
        benefit = make_benefit(
            partner_ids=[partner.pk], price_credits=dice.choice([0, 0, 50]),
            requires_binding=dice.random() < 0.5, requires_adult=dice.random() < 0.3,
            wallets=dice.choice([[], [], ["ALIPAY_CN"]]),
            status=dice.choice(["live", "live", "live", "paused"]),
        )  # fmt: skip
        opens = {"opens_at": soon(days=1)} if place % 8 == 7 else {}
        make_release(benefit, stock=dice.choice([0, 9, 9, 9]), **opens)
        if dice.random() < 0.7:
            tree = random_rule(dice, depth=1)
            set_rule(benefit=benefit, tree=tree, actor="operator:x", now=database_now())
        if place % 6 == 0:
            Quota.objects.create(benefit=benefit, holder="all", period="day", allowed=1)
        if place % 5 == 0:
            PriceRow.objects.create(benefit=benefit, position=1, tier="gold", price_credits=10)
        made.append(benefit)
    return made


def would_claim(member, benefit):
    """Whether a claim goes through at this instant; taken back again."""
    release = find_open_release(benefit, now=database_now())
    try:
        with transaction.atomic():
            claim(member, release)
            transaction.set_rollback(True)
    except ZoneError:
        return False
    return True


@pytest.mark.slow
def test_a_thousand_pairs_get_the_verdict_of_a_claim_and_of_the_partner_api(db):
    """Each pair is claimed for real and taken back; every twenty-fifth is asked over HTTP as well."""
    dice = random.Random(41)
    partner = make_partner("acme")
    caller = Caller.of(partner)
    members = settle(MEMBERS, seed=41)
    benefits = many_benefits(partner, dice)
    for member in dice.sample(members, 15):
        give_credits(member, dice.choice([20, 2500]))
    seen, pairs = set(), 0
    for member in members:
        known = introduce_member(partner=partner, member=member, external_id=member.public_id)
        for benefit in benefits:
            pairs += 1
            why = queries.explain(benefit, member, now=database_now())
            assert why.is_yes == would_claim(member, benefit), (member, benefit, why.refusal)
            # The tree agrees with the verdict: whoever may claim fits every condition.
            assert why.rule.holds or not why.is_yes
            seen.add(why.refusal.code if why.refusal else None)
            if pairs % 25:
                continue
            told = caller.post(
                f"/benefits/{benefit.public_id}/eligibility", {"member": known.public_id}
            ).json()
            assert why.is_yes == told["eligible"]
            assert (why.refusal.code if why.refusal else None) == told["code"]
            assert (str(why.refusal) if why.refusal else None) == told["detail"]
    assert pairs == 1000
    assert len(seen) >= 6, seen


def test_support_reads_each_condition_with_what_it_saw(staff, alice):
    benefit = make_benefit(price_credits=100)
    make_release(benefit, codes=2)
    ledger.earn(member_id=alice.pk, op_id=uuid7(), amount=2100)
    PriceRow.objects.create(benefit=benefit, position=1, tier="platinum", price_credits=60)
    PriceRow.objects.create(benefit=benefit, position=2, tier="gold", price_credits=80)
    tree = {
        "any": [
            {"is": "purchases", "count": 2, "days": 30},
            {"all": [{"is": "adult"}, {"is": "segment", "of": "vip"}]},
        ]
    }
    set_rule(benefit=benefit, tree=tree, actor="operator:x", now=database_now())
    page = staff.get(*address(benefit, "why", member=alice.public_id)).content.decode()
    assert "2 more purchases at Apple are needed within 30 days." in page
    assert "0 purchases" in page
    assert "is in the segment vip" in page
    assert "price row 2" in page
    assert "Make 2 more purchases of any size at Apple" in page


def test_a_single_condition_and_none_are_explained_too(alice):
    for tree, parts in (({"is": "adult"}, 2), ({}, 1), ({"all": [{"is": "adult"}]}, 2)):
        benefit = make_benefit()
        set_rule(benefit=benefit, tree=tree, actor="operator:x", now=database_now())
        why = queries.explain(benefit, alice, now=database_now())
        assert len(why.rule.parts) == parts, tree
    open_to_all = make_benefit(requires_binding=False)
    assert queries.explain(open_to_all, alice, now=database_now()).rule.holds


def test_whoever_may_not_read_members_sees_no_figures_of_theirs(client, alice):
    benefit = make_benefit()
    make_release(benefit, codes=2)
    tree = {"is": "purchases", "count": 2, "days": 30}
    set_rule(benefit=benefit, tree=tree, actor="operator:x", now=database_now())
    sign_in_operator(client, make_operator("viewer"))
    page = client.get(*address(benefit, "why", member=alice.public_id)).content.decode()
    assert "made 2 purchases or more" in page
    assert "0 purchases" not in page
    assert client.get(*address(benefit, "preview")).status_code == 403
    assert client.get(*address(benefit, "preview-frame")).status_code == 403


def test_an_operator_looks_through_members_of_their_scope_alone(client, alice):
    from zone.console.models import OperatorScope

    benefit = make_benefit()
    operator = make_operator("support")
    scope = OperatorScope.objects.create(user=operator)
    scope.wallets.set(["ALIPAY_HK"])
    sign_in_operator(client, operator)
    page = client.get(*address(benefit, "why", member=alice.public_id)).content.decode()
    assert "There is no such member." in page


def test_a_preview_shows_another_day_in_another_language_and_writes_nothing(staff, alice):
    benefit = make_benefit(price_credits=30)
    BenefitText.objects.create(
        benefit=benefit, language="zh-hans", title="周末券", terms="每人一次。"
    )
    make_release(benefit, codes=3, opens_at=soon(days=3), closes_at=soon(days=5))
    give_credits(alice, 50)

    def traces():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM ledger.entry")
            entries = cursor.fetchone()[0]
        return (
            Claim.objects.count(),
            ClaimEvent.objects.count(),
            BenefitEvent.objects.count(),
            entries,
        )

    before, pages = traces(), {}
    for name, days in (("today", 0), ("open", 4), ("over", 6)):
        at = f"{soon(days=days):%Y-%m-%dT%H:%M}"
        asked = {"member": alice.public_id, "at": at, "language": "zh-hans"}
        answer = staff.get(*address(benefit, "preview-frame", **asked))
        assert answer.status_code == 200
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
        policy = answer["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in policy
        assert "form-action 'none'" in policy
        assert "script-src 'none'" in policy
        pages[name] = answer.content.decode()
    assert all("周末券" in page for page in pages.values())
    assert "data-sheet" in pages["open"]
    assert "data-sheet" not in pages["today"]
    assert pages["today"] != pages["over"]
    assert traces() == before
    outer = staff.get(*address(benefit, "preview", member=alice.public_id, width=768))
    assert 'width="768"' in outer.content.decode()
    assert "frame-src 'self'" in outer["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in outer["Content-Security-Policy"]


def test_control_a_preview_that_wrote_would_be_stopped(staff, alice, monkeypatch):
    benefit = make_benefit()
    release = make_release(benefit, codes=3)
    read = queries.read_card

    def writing(*args, **options):
        claim(alice, release)
        return read(*args, **options)

    monkeypatch.setattr("benefits.queries.read_card", writing)
    with pytest.raises(InternalError, match="read-only transaction"):
        staff.get(*address(benefit, "preview-frame", member=alice.public_id))


def blocking(benefit):
    return [each.sentence for each in list_findings(benefit, now=database_now()) if each.blocks]


def test_a_broken_draft_hears_of_every_fault_and_is_not_sent(client, alice):
    budget = Budget.objects.create(code="b", name="B", currency="HKD", amount=100)
    BudgetShare.objects.create(budget=budget, funder="apple", basis_points=9_000)
    benefit = make_benefit(
        status="draft", detail={}, budget=budget, unit_cost=300, visible_from=soon(hours=-30),
        claimable_until=soon(days=-1), usable_until=soon(days=-2),
    )  # fmt: skip
    BenefitText.objects.filter(benefit=benefit).update(title="", terms="")
    make_release(benefit, mode="codes")
    make_release(benefit, stock=0)
    tree = {"is": "segment", "of": "nobody"}
    set_rule(benefit=benefit, tree=tree, actor="operator:x", now=database_now())
    told = blocking(benefit)
    for part in (
        "a title in English", "terms in English", "currency is missing", "its end is in the past",
        "its use ends before it can be claimed", "no codes in release", "no stock in release",
        "different currencies", "shares do not make a whole", "lets in nobody",
    ):  # fmt: skip
        assert any(part in each for each in told), (part, told)
    sign_in_operator(client, make_operator("editor"))
    client.post(
        "/console/benefits/benefit/", {"action": "submit", "_selected_action": [benefit.pk]}
    )
    assert Benefit.objects.get(pk=benefit.pk).status == "draft"
    page = client.get(*address(benefit, "ready")).content.decode()
    assert page.count("keeps it from review") == len(told)


def test_a_whole_draft_has_nothing_that_keeps_it(alice):
    budget = Budget.objects.create(code="b", name="B", currency="CNY", amount=300)
    BudgetShare.objects.create(budget=budget, funder="apple", basis_points=10_000)
    benefit = make_benefit(status="draft", budget=budget, unit_cost=300)
    assert blocking(benefit) == ["no release that is open or still to come"]
    make_release(benefit, codes=1)
    set_rule(benefit=benefit, tree={"is": "adult"}, actor="operator:x", now=database_now())
    assert blocking(benefit) == []
    worth_a_look = [each.sentence for each in list_findings(benefit, now=database_now())]
    assert len(worth_a_look) == 2
    Budget.objects.update(amount=299)
    assert blocking(Benefit.objects.get(pk=benefit.pk)) == ["the budget does not pay for one unit"]


def test_whoever_sent_it_to_review_does_not_approve_it(client, alice):
    benefit = make_benefit(status="draft")
    make_release(benefit, codes=1)
    boss = make_operator("editor")
    boss.is_superuser = True
    boss.save(update_fields=["is_superuser"])
    sign_in_operator(client, boss)
    for action in ("submit", "approve"):
        page = client.post(
            "/console/benefits/benefit/",
            {"action": action, "_selected_action": [benefit.pk]},
            follow=True,
        )
    assert "You sent this to review yourself" in page.content.decode()
    assert Benefit.objects.get(pk=benefit.pk).status == "in_review"
