"""Many taps at one moment are one check-in."""

from functools import partial

from credits import errors
from credits.models import CheckIn, Mission, Streak
from credits.queries import get_balance
from credits.services.check_ins import check_in
from credits.services.missions import claim_mission
from tests.credits.conftest import broken
from tests.factories import bind, make_member
from tests.threads import together

THREADS = 16


def test_taps_at_one_moment_count_once(cloned_database):
    member = make_member()
    bind(member)

    answers = together([partial(check_in, member=member) for _ in range(THREADS)])

    assert sorted(answer.credits for answer in answers) == [0] * (THREADS - 1) + [10]
    assert CheckIn.objects.filter(member=member).count() == 1
    assert Streak.objects.get(member=member).length == 1
    assert get_balance(member).available == 10
    assert broken() == []


def test_a_reward_claimed_at_one_moment_is_given_once(cloned_database):
    member = make_member()
    bind(member)
    Mission.objects.filter(slug="five-check-ins").update(target=1)
    check_in(member=member)

    answers = together(
        [partial(claim_mission, member=member, slug="five-check-ins") for _ in range(THREADS)]
    )

    assert [answer for answer in answers if answer == 20] == [20]
    assert sum(isinstance(answer, errors.MissionNotDone) for answer in answers) == THREADS - 1
    assert get_balance(member).available == 30
    assert broken() == []
