"""Several threads at one process's door: pages one at a time, and few of them."""

import time
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event, Lock

from benefits.rush import RushDoor, door
from benefits.rush.turns import Turns

THREADS = 8


class Page:
    """An application that takes a moment; how often it was asked, and by how many at once."""

    def __init__(self):
        self.asked = self.inside = self.most = 0
        self.lock = Lock()

    def __call__(self, environ, start_response):
        with self.lock:
            self.asked += 1
            self.inside += 1
            self.most = max(self.most, self.inside)
        time.sleep(0.005)
        with self.lock:
            self.inside -= 1
        start_response("200 OK", [])
        return [b"a page"]


def knock(door):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    return b"".join(door(environ, lambda status, headers: None))


def test_a_process_makes_one_page_at_a_time():
    page = Page()
    door = RushDoor(page)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: knock(door), range(THREADS * 4)))
    assert answers == [b"a page"] * THREADS * 4
    assert page.most == 1
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: page({}, lambda *_: None), range(THREADS * 4)))
    assert page.most > 1, "without the door they meet"


def test_a_page_that_fails_lets_the_next_one_in():
    def broken(environ, start_response):
        raise RuntimeError

    door = RushDoor(broken)
    for _ in range(2):
        try:
            knock(door)
        except RuntimeError:
            continue
    door.application = Page()
    assert knock(door) == b"a page"


class Waiting(Page):
    """The same, but for one page that waits for something outside."""

    def __init__(self):
        super().__init__()
        self.is_there, self.is_over = Event(), Event()

    def __call__(self, environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            self.is_there.set()
            assert self.is_over.wait(20)
        return super().__call__(environ, start_response)


def knock_beside_a_page_that_waits(page, *, seconds):
    """How many of those who come meanwhile are answered in so many seconds."""
    front = RushDoor(page)
    with ThreadPoolExecutor(THREADS) as pool:
        slow = pool.submit(front, {"REQUEST_METHOD": "GET", "PATH_INFO": "/slow"}, lambda *_: None)
        assert page.is_there.wait(20)
        others = [pool.submit(knock, front) for _ in range(THREADS * 4)]
        answered = sum(wait([other], timeout=seconds).done != set() for other in others)
        page.is_over.set()
        slow.result()
    assert not front.pages.is_taken()
    return answered


def test_a_page_that_waits_keeps_nobody_else_waiting():
    page = Waiting()
    assert knock_beside_a_page_that_waits(page, seconds=20) == THREADS * 4
    assert page.most == 1, "the others still come one after the other"


def test_control_with_endless_patience_it_keeps_them_all(monkeypatch):
    monkeypatch.setattr(door, "PATIENCE_SECONDS", 1000.0)
    assert knock_beside_a_page_that_waits(Waiting(), seconds=0.05) == 0


def test_who_waits_long_because_many_are_before_them_goes_on_waiting():
    """Only the one who has the turn is too slow or not, never the whole queue."""
    turns, inside, most = Turns(patience=0.25), [], []

    def work():
        with turns.take():
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.05)
            inside.pop()

    with ThreadPoolExecutor(THREADS) as pool:
        for future in [pool.submit(work) for _ in range(THREADS * 2)]:
            future.result()
    assert max(most) == 1
