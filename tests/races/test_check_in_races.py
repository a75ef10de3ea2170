"""Many taps at one moment are one check-in."""

from functools import partial

from credits.models import CheckIn, Streak
from credits.queries import get_balance
from credits.services.check_ins import check_in
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
