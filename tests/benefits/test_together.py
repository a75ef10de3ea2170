"""What threads ask at the same time is asked at once, and everybody hears their own answer."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from benefits.rush.together import Together


class Slow:
    """Somebody who answers with ten times what is asked, and only while told to go on."""

    def __init__(self, *, at_most=16):
        self.calls = []
        self.go_on = Event()
        self.together = Together(self.ask_all, at_most=at_most)

    def ask_all(self, asked):
        self.calls.append(list(asked))
        assert self.go_on.wait(10)
        if "fault" in asked:
            raise RuntimeError("this call failed")
        return [one * 10 for one in asked]

    def wait_for(self, waiting):
        """Until so many threads wait behind the one that asks."""
        until = time.monotonic() + 10
        while not self.calls or len(self.together.waiting) < waiting:
            assert time.monotonic() < until
            time.sleep(0.001)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(max_workers=40) as made:
        yield made


def start(pool, slow, asked):
    """One thread for each, in this order: the first asks, the others wait behind it."""
    answers = []
    for number, one in enumerate(asked):
        answers.append(pool.submit(slow.together.ask, one))
        slow.wait_for(number)
    return answers


def test_who_comes_alone_asks_alone_and_at_once():
    slow = Slow()
    slow.go_on.set()
    assert [slow.together.ask(1), slow.together.ask(2)] == [10, 20]
    assert slow.calls == [[1], [2]]


def test_who_comes_meanwhile_is_asked_for_together_in_order(pool):
    slow = Slow()
    answers = start(pool, slow, [1, 2, 3, 4])
    slow.go_on.set()
    assert [answer.result(10) for answer in answers] == [10, 20, 30, 40]
    assert slow.calls == [[1], [2, 3, 4]]


def test_no_more_than_so_many_at_once(pool):
    slow = Slow(at_most=2)
    answers = start(pool, slow, [1, 2, 3, 4])
    slow.go_on.set()
    assert [answer.result(10) for answer in answers] == [10, 20, 30, 40]
    assert slow.calls == [[1], [2, 3], [4]]


def test_a_call_that_fails_fails_for_its_caller_and_keeps_nobody_waiting(pool):
    slow = Slow()
    answers = start(pool, slow, ["one", "fault", "two"])
    slow.go_on.set()
    assert answers[0].result(10) == "one" * 10
    with pytest.raises(RuntimeError):
        answers[1].result(10)
    assert answers[2].result(10) is None
    assert slow.together.ask("three") == "three" * 10, "the next one asks as ever"


def test_thousands_all_hear_their_own_answer(pool):
    sizes = []

    def ask_all(asked):
        sizes.append(len(asked))
        time.sleep(0.0005)
        return [-one for one in asked]

    together = Together(ask_all, at_most=16)
    asked = range(4000)
    assert list(pool.map(together.ask, asked)) == [-one for one in asked]
    assert sum(sizes) == 4000
    assert max(sizes) == 16
    assert not together.waiting
    assert not together.is_asking
