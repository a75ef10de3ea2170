"""Two people change the rule of a benefit that is out: who may, what is applied, what is refused."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from benefits import rule_errors
from benefits.models import BenefitEvent, RuleRequest, RuleVersion
from benefits.queries import current_tree
from benefits.services.population import drain_population
from benefits.services.rule_requests import (
    approve_rule,
    ask_for_rule,
    digest_of,
    expire_requests,
    reject_rule,
    return_rule,
    withdraw_rule,
)
from benefits.services.rules import set_rule
from tests.benefits.factories import make_benefit
from tests.benefits.population import settle
from tests.factories import make_operator, sign_in_operator
from zone.core.clock import database_now

pytestmark = pytest.mark.django_db
MAKER, CHECKER = "operator:maker", "operator:checker"
TREE = {"all": [{"is": "adult"}, {"is": "bound", "days": 30}]}


@pytest.fixture
def benefit():
    settle(30, seed=11)
    return make_benefit()


def ask(benefit, tree=TREE, actor=MAKER):
    return ask_for_rule(benefit=benefit, tree=tree, actor=actor, now=database_now())


def tried(benefit, **options):
    asked = ask(benefit, **options)
    drain_population()
    return asked


def decide(verb, request, actor=CHECKER, **more):
    return verb(request=request, actor=actor, now=database_now(), **more)


def test_what_is_approved_is_what_is_applied(benefit):
    request = tried(benefit)
    assert current_tree(benefit) == {}, "asking changes nothing"
    done = decide(approve_rule, request, comment="fine")
    assert done.state == "approved"
    assert digest_of(done.version.tree) == done.digest == digest_of(TREE)
    assert current_tree(benefit) == TREE
    assert done.run.report["examined"] == 30
    assert (done.maker, done.checker, done.comment) == (MAKER, CHECKER, "fine")
    assert BenefitEvent.objects.filter(benefit=benefit, cause="rule").count() == 1


@pytest.mark.parametrize("verb", [approve_rule, reject_rule, return_rule])
def test_nobody_decides_on_their_own(benefit, verb):
    request = tried(benefit)
    with pytest.raises(rule_errors.OwnRequest):
        decide(verb, request, actor=MAKER, comment="because")
    assert RuleRequest.objects.get().state == "open"
    assert RuleVersion.objects.count() == 0


def test_the_database_itself_wants_two_people(benefit):
    tried(benefit)
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleRequest.objects.update(state="rejected", checker=MAKER)


def test_a_second_request_waits_for_the_first(benefit):
    first = ask(benefit)
    with pytest.raises(rule_errors.RuleRequestOpen, match=first.public_id):
        ask(benefit, tree={"is": "adult"})
    with pytest.raises(rule_errors.NotTheMaker):
        decide(withdraw_rule, first)
    decide(withdraw_rule, first, actor=MAKER)
    assert ask(benefit, tree={"is": "adult"}).state == "open"


def test_what_was_overtaken_unfinished_or_touched_is_not_applied(benefit):
    request = ask(benefit)
    with pytest.raises(rule_errors.TrialUnfinished):
        decide(approve_rule, request)
    drain_population()
    RuleRequest.objects.update(tree={"is": "adult"})
    with pytest.raises(rule_errors.RequestTampered):
        decide(approve_rule, request)
    RuleRequest.objects.update(tree=TREE)
    set_rule(benefit=benefit, tree={"is": "adult"}, actor="operator:z", now=database_now())
    with pytest.raises(rule_errors.RequestStale, match="version 1"):
        decide(approve_rule, request)
    assert current_tree(benefit) == {"is": "adult"}


def test_a_request_is_decided_once_and_not_after_its_time(benefit):
    request = tried(benefit)
    with pytest.raises(rule_errors.CommentMissing):
        decide(return_rule, request, comment=" ")
    decide(return_rule, request, comment="who is that for?")
    with pytest.raises(rule_errors.RequestClosed, match="changes asked for"):
        decide(approve_rule, request)
    late = tried(benefit)
    RuleRequest.objects.filter(pk=late.pk).update(expires_at=database_now() - timedelta(minutes=1))
    with pytest.raises(rule_errors.RequestClosed):
        decide(approve_rule, late)
    assert expire_requests(now=database_now()) == 1
    assert RuleRequest.objects.get(pk=late.pk).state == "expired"


def test_asking_for_what_is_in_force_is_pointless(benefit):
    with pytest.raises(rule_errors.RuleUnchanged):
        ask(benefit, tree={})


def press(client, request, verb, **values):
    place = reverse(f"admin:benefits_rulerequest_{verb}", args=[request.pk])
    return client.post(place, values, follow=True)


def test_in_the_console_not_even_a_superuser_approves_their_own(benefit, client):
    boss = make_operator("editor")
    boss.is_superuser = True
    boss.save(update_fields=["is_superuser"])
    sign_in_operator(client, boss)
    place = reverse("admin:benefits_benefit_rule", args=[benefit.pk])
    page = client.post(place, {"act": "save", "r:is": "all", "r.0:is": "adult"}, follow=True)
    request = RuleRequest.objects.get()
    assert f"Request {request.public_id} waits for approval" in page.content.decode()
    drain_population()
    page = press(client, request, "approve").content.decode()
    assert "You asked for this yourself: somebody else has to decide." in page
    sign_in_operator(client, make_operator("editor"))
    assert press(client, request, "approve").status_code == 403
    sign_in_operator(client, make_operator("approver"))
    shown = client.get(reverse("admin:benefits_rulerequest_change", args=[request.pk]))
    assert "would lose it" in shown.content.decode()
    assert "All 30 active members were looked at" in shown.content.decode()
    assert "is an adult" in shown.content.decode()
    press(client, request, "approve", comment="ok")
    assert current_tree(benefit) == {"all": [{"is": "adult"}]}
    assert client.get("/console/benefits/populationrun/").status_code == 200


def test_a_trial_under_way_shows_how_far_it_is(benefit, client):
    request = ask(benefit)
    sign_in_operator(client, make_operator("approver"))
    shown = client.get(reverse("admin:benefits_rulerequest_change", args=[request.pk]))
    page = shown.content.decode()
    assert "Under way: 0 members looked at." in page
    assert 'hx-trigger="every 2s"' in page
