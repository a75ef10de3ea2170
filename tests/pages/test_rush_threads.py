"""Several threads at one process's door: pages one at a time, and few of them."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from benefits.rush import RushDoor

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
