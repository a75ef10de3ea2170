"""A provider's list against ours: every kind of difference is named, and nothing else."""

from datetime import timedelta

import pytest

from benefits.models import Alarm, Claim, Code, ProviderStatement
from benefits.services import grants, pools, statements
from benefits.services.returns import return_claim
from tests.benefits.factories import claim, make_benefit, make_provider, make_release
from tests.factories import bind, make_member
from zone.core.clock import database_now


@pytest.fixture
def provider(db, issuer):
    return make_provider(kind="sandbox", timeout_ms=2_000, allows_return=True)


@pytest.fixture
def granted(provider):
    release = make_release(
        make_benefit(
            kind="apple_music_trial",
            detail={"service": "apple_music", "trial_period": "P3M"},
        ),
        stock=9,
        provider=provider,
    )
    made = []
    for _ in range(4):
        member = make_member()
        bind(member)
        made.append(claim(member, release))
    grants.drain_grants()
    # The sandbox remembers every test's orders; the others' are no concern of this provider.
    return [Claim.objects.get(pk=row.pk) for row in made]


def of(found, granted):
    """The differences among these claims."""
    return sorted(set(found) & {row.public_id for row in granted})


def test_an_honest_list_has_no_difference(provider, granted):
    return_claim(claim=granted[0], now=database_now(), actor="member:test")
    made = statements.fetch_statement(provider=provider)
    assert made.line_count >= 4
    assert of(statements.list_differences(provider), granted) == []


def test_each_kind_of_difference_is_named_and_calls_an_operator(provider, granted):
    lost, wrong_reference, wrong_code, fine = granted
    Claim.objects.filter(pk=wrong_reference.pk).update(provider_reference="ISS-ELSE")
    Code.objects.filter(release=wrong_code.release, slot=wrong_code.slot).update(
        code_index=pools.index_of("SOMETHINGELSE", livemode=True)
    )
    statements.fetch_statement(provider=provider)
    provider.statement_lines.filter(claim_public_id=lost.public_id).delete()
    expected = sorted(row.public_id for row in (lost, wrong_reference, wrong_code))
    assert of(statements.list_differences(provider), granted) == expected
    alarm = Alarm.objects.get(kind="provider_statement")
    assert alarm.subject == provider.code
    assert fine.public_id not in statements.list_differences(provider)


def test_what_was_settled_after_the_list_was_begun_is_not_compared(provider, granted):
    statements.fetch_statement(provider=provider)
    provider.statement_lines.filter(claim_public_id=granted[0].public_id).delete()
    Claim.objects.filter(pk=granted[0].pk).update(granted_at=database_now() + timedelta(seconds=5))
    assert of(statements.list_differences(provider), granted) == []


def test_a_provider_that_does_not_answer_changes_nothing(provider, granted, settings):
    settings.SANDBOX_ISSUER_URL = "http://127.0.0.1:9"
    assert statements.fetch_statement(provider=provider) is None
    assert ProviderStatement.objects.count() == 0
