"""Limits, slices and budgets met by many claims at one instant; each with its control."""

from django.db import connection

from benefits.models import Budget, BudgetShare, BudgetUse, Claim, Quota, QuotaUse
from tests.benefits.factories import claim, make_benefit, make_release
from tests.races.test_claim_races import (
    THREADS,
    WIDE_STOCK,
    books,
    crowd,
    make_members,
    replaced_function,
    tally,
)
from tests.threads import together

# The moment between looking at a window and counting in it, long enough to meet in.
PAUSE = "PERFORM pg_sleep(0.1); FOR v_quota IN"
UNGUARDED = "WHERE CASE WHEN p_frees_at IS NULL THEN counted.used < p_allowed"


def widened(database):
    return replaced_function(database, "benefits_take_claim", "FOR v_quota IN", PAUSE)


def race_of_one_member():
    """Twenty claims of one member; the release itself would allow all of them."""
    benefit = make_benefit(per_member=THREADS)
    release = make_release(benefit, stock=WIDE_STOCK)
    Quota.objects.create(benefit=benefit, holder="member", period="day", allowed=2)
    (alice,) = make_members(1)
    return benefit, [lambda: claim(alice, release) for _ in range(20)]


def test_two_a_day_are_two_whatever_the_parallelism(cloned_database):
    benefit, jobs = race_of_one_member()
    with widened(cloned_database):
        answers = together(jobs)
    assert tally(answers) == {"Claim": 2, "QuotaReached": 18}
    assert Claim.objects.filter(benefit=benefit).count() == 2
    assert QuotaUse.objects.get().used == 2
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_an_unguarded_window_lets_more_pass(cloned_database):
    _, jobs = race_of_one_member()
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_quotause DROP CONSTRAINT benefits_quotause_within")
    with (
        replaced_function(
            cloned_database, "benefits_count_in_window", UNGUARDED, "WHERE CASE WHEN true THEN true"
        ),
        widened(cloned_database),
    ):
        answers = together(jobs)
    assert tally(answers)["Claim"] > 2, "the control must see a third claim"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I31" in report


def test_members_of_one_person_share_one_allowance(cloned_database):
    benefit = make_benefit()
    release = make_release(benefit, stock=WIDE_STOCK)
    Quota.objects.create(benefit=benefit, holder="person", period="total", allowed=1)
    members = make_members(10)
    for member in members:
        member.person_token = b"p" * 32
        member.save(update_fields=["person_token"])
    with widened(cloned_database):
        answers = together([lambda m=m: claim(m, release) for m in members])
    assert tally(answers) == {"Claim": 1, "NotAgain": 9}
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_an_unguarded_window_lets_one_person_claim_twice(cloned_database):
    benefit = make_benefit()
    release = make_release(benefit, stock=WIDE_STOCK)
    Quota.objects.create(benefit=benefit, holder="person", period="total", allowed=1)
    members = make_members(10)
    for member in members:
        member.person_token = b"p" * 32
        member.save(update_fields=["person_token"])
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_quotause DROP CONSTRAINT benefits_quotause_within")
    with (
        replaced_function(
            cloned_database, "benefits_count_in_window", UNGUARDED, "WHERE CASE WHEN true THEN true"
        ),
        widened(cloned_database),
    ):
        answers = together([lambda m=m: claim(m, release) for m in members])
    assert tally(answers)["Claim"] > 1, "the control must see the person's second claim"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I31" in report


def make_budget(*, amount):
    budget = Budget.objects.create(code="launch", name="Launch", currency="CNY", amount=amount)
    for funder, part in (("apple", 3333), ("wallet", 3333), ("partner", 3334)):
        BudgetShare.objects.create(budget=budget, funder=funder, basis_points=part)
    return budget


def race_for_the_budget():
    budget = make_budget(amount=100_00)
    benefit = make_benefit(budget=budget, unit_cost=3_00)
    release = make_release(benefit, codes=60)
    members = make_members(50)
    return budget, [lambda m=m: claim(m, release) for m in members]


def test_a_hundred_at_three_each_is_thirty_three_claims(cloned_database):
    budget, jobs = race_for_the_budget()
    answers = crowd(jobs)
    assert tally(answers) == {"Claim": 33, "BudgetExhausted": 17}
    budget.refresh_from_db()
    assert budget.spent == 99_00
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT funder, sum(amount)::int, count(*) FROM benefits_budgetuse GROUP BY 1 ORDER BY 1"
        )
        # 300 minor units a claim: 99.99, 99.99 and 100.02 in running sums, rounded down.
        assert cursor.fetchall() == [
            ("apple", 33 * 99, 33),
            ("partner", 33 * 101, 33),
            ("wallet", 33 * 100, 33),
        ]
    assert BudgetUse.objects.count() == 99
    code, report = books(cloned_database)
    assert code == 0, report


def test_control_an_unguarded_budget_is_overspent(cloned_database):
    _, jobs = race_for_the_budget()
    with cloned_database.connect(as_owner=True) as owner:
        owner.execute("ALTER TABLE benefits_budget DROP CONSTRAINT benefits_budget_cap")
    with (
        replaced_function(
            cloned_database,
            "benefits_spend_budget",
            "UPDATE benefits_budget",
            "PERFORM pg_sleep(0.1); UPDATE benefits_budget",
        ),
        replaced_function(
            cloned_database, "benefits_spend_budget", " AND spent + p_cost <= amount", ""
        ),
    ):
        answers = crowd(jobs)
    assert tally(answers)["Claim"] > 33, "the control must see money that is not there"
    code, report = books(cloned_database)
    assert code == 1
    assert "FAIL I33" in report
