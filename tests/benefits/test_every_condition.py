"""Every kind of condition at the doors: who does not fit is refused for it alone, who fits claims."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from benefits import errors
from benefits.conditions.kinds import KINDS
from benefits.conditions.membership import EXPERIMENT_PARTS, part_of
from benefits.models import MemberTag, Segment, SegmentMember
from benefits.queries import get_card
from benefits.services.rules import set_rule
from credits import ledger
from credits.services.tiers import refresh_tiers
from tests.api.caller import Caller, make_partner
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.test_rules import buy, subscribe
from tests.factories import bind, make_member
from zone.core.clock import database_now
from zone.core.ids import uuid7
from zone.members.models import Binding, Member, MemberSession
from zone.members.services.partner_members import introduce_member
from zone.members.services.sessions import open_session

pytestmark = pytest.mark.django_db


@dataclass
class Case:
    """A rule, what makes a member fit it or not fit it, and the public word for the refusal."""

    node: dict
    reason: str
    fits: object = lambda member: None
    misfits: object = lambda member: None


def bound_for(days):
    def change(member):
        since = database_now() - timedelta(days=days, minutes=1)
        Binding.objects.filter(member=member).update(bound_at=since)

    return change


def bought(*amounts, days_ago=1):
    def change(member):
        for amount in amounts:
            buy(member, at=database_now() - timedelta(days=days_ago), amount=amount)

    return change


def set_to(**values):
    return lambda member: Member.objects.filter(pk=member.pk).update(**values)


def listed(member):
    segment = Segment.objects.create(code="vip", name="VIP")
    SegmentMember.objects.create(segment=segment, member=member)


def tagged(member):
    MemberTag.objects.create(
        member=member, tag="founder", added_by="operator:x", added_at=database_now()
    )


def risen(member):
    ledger.earn(member_id=member.pk, op_id=uuid7(), amount=2000)
    refresh_tiers([member.pk])


def claimed(slug):
    return lambda member: claim(member, make_release(make_benefit(slug=slug), codes=1))


def on_devices(*names):
    def change(member):
        MemberSession.objects.filter(member=member).delete()
        for name in names:
            open_session(member=member, now=database_now(), device=name)

    return change


def subscribed(status):
    return lambda member: subscribe(member, "apple_music", status=status, now=database_now())


CASES = {
    "wallet": Case({"is": "wallet", "of": ["ALIPAY_CN"]}, "wallet"),
    "storefront": Case({"is": "storefront", "of": ["CHN"]}, "storefront"),
    "language": Case(
        {"is": "language", "of": ["fil"]}, "language", set_to(language="fil"), set_to(language="en")
    ),
    "adult": Case({"is": "adult"}, "adults_only", misfits=set_to(is_adult=False)),
    "bound": Case({"is": "bound", "days": 30}, "binding_age", bound_for(30), bound_for(29)),
    "purchases": Case(
        {"is": "purchases", "count": 2, "days": 30}, "purchases", bought(1, 1), bought(9999)
    ),
    "purchases too old": Case(
        {"is": "purchases", "count": 1, "days": 5}, "purchases", bought(1), bought(1, days_ago=6)
    ),
    "spending": Case(
        {"is": "spending", "amount": 500, "currency": "CNY", "days": 30}, "spending",
        bought(300, 200), bought(300, 199),
    ),
    "subscription": Case(
        {"is": "subscription", "service": "apple_music", "state": "open"}, "subscription",
        subscribed("active"), subscribed("expired"),
    ),
    "subscription never": Case(
        {"is": "subscription", "service": "apple_music", "state": "never"}, "subscription",
        misfits=subscribed("expired"),
    ),
    "subscription lapsed": Case(
        {"is": "subscription", "service": "apple_music", "state": "lapsed"}, "subscription",
        subscribed("expired"), subscribed("active"),
    ),
    "segment": Case({"is": "segment", "of": "vip"}, "segment", listed),
    "tag": Case({"is": "tag", "of": "founder"}, "tag", tagged),
    "tier": Case({"is": "tier", "least": "gold"}, "tier", risen),
    "tier at most": Case({"is": "tier", "most": "silver"}, "tier", misfits=risen),
    "claimed": Case(
        {"is": "claimed", "benefit": "first", "least": 1}, "claims",
        claimed("first"), claimed("second"),
    ),
    "claims": Case({"is": "claims", "most": 0, "days": 7}, "claims", misfits=claimed("any")),
    "devices": Case(
        {"is": "devices", "most": 1, "days": 30}, "devices",
        on_devices("iPhone"), on_devices("iPhone", "iPad"),
    ),
    "experiment": Case({}, "experiment"),  # Its arm is that of the member who fits.
}  # fmt: skip


def test_every_kind_is_in_the_table():
    assert {name.split()[0] for name in CASES} == set(KINDS)


def somebody(**fields):
    member = make_member(**fields)
    bind(member)
    return member


@pytest.mark.parametrize("name", list(CASES))
def test_who_fits_claims_and_who_does_not_is_refused_for_it(name):
    case = CASES[name]
    strange = {"wallet": "ALIPAY_HK"} if name in ("wallet", "storefront") else {}
    fit, misfit = somebody(), somebody(**strange)
    node = case.node
    if name == "experiment":
        part = part_of("spring", fit.public_id)
        while part_of("spring", misfit.public_id) == part:
            misfit = somebody()
        assert 1 <= part <= EXPERIMENT_PARTS
        node = {"is": "experiment", "key": "spring", "first": part, "last": part}
    partner = make_partner("acme")
    benefit = make_benefit(slug="ruled", partner_ids=[partner.pk])
    release = make_release(benefit, codes=2)
    set_rule(benefit=benefit, tree=node, actor="operator:x", now=database_now())
    case.fits(fit)
    case.misfits(misfit)
    for member in (fit, misfit):
        member.refresh_from_db()

    with pytest.raises(errors.RuleNotMet) as refused:
        claim(misfit, release)
    assert refused.value.facts["reason"] == case.reason
    card = get_card(slug="ruled", member=misfit, available=0, now=database_now(), language="en")
    assert (card.state, card.sentence) == ("locked", str(refused.value))
    caller = Caller.of(partner)
    known = introduce_member(partner=partner, member=misfit, external_id="u-1").public_id
    asked = {"member": known, "benefit": benefit.public_id, "external_id": "o-1"}
    answer = caller.post("/claims", asked)
    assert (answer.status_code, answer.json()["reason"]) == (409, case.reason)
    assert not misfit.claims.filter(benefit=benefit).exists()
    assert claim(fit, release).state == "granted"
