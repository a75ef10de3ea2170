"""Alarms told outside: signed, once for each piece of news, and again until somebody hears them."""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks import Webhook

from benefits.models import Alarm
from benefits.services import alarm_hook
from benefits.services.alarm_hook import drain_alarm_calls
from benefits.services.alarms import raise_alarm, settle_alarm, settle_alarms_of
from benefits.services.pool_watch import watch_pools
from tests.benefits.books import travel
from tests.benefits.factories import claim, load_codes, make_benefit, make_release
from tests.factories import bind, make_member, make_operator, sign_in_operator
from zone.core.clock import database_now

pytestmark = pytest.mark.usefixtures("sound_books")
SECRET = "whsec_" + "c2VjcmV0" * 4
KIND = Alarm.Kind.POOL_LOW


class Ear(BaseHTTPRequestHandler):
    """Keeps what it is sent and answers what the test wants."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), body))
        answers = self.server.answers
        status = answers.pop(0) if answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def ear(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    server.heard, server.answers = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.ALARM_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/hooks/zone?team=7"
    settings.ALARM_WEBHOOK_SECRET = SECRET
    yield server
    server.shutdown()
    server.server_close()


def told(ear):
    """What was heard, each verified by the public library: (type, level)."""
    read = [Webhook(SECRET).verify(body, _lower(headers)) for _, headers, body in ear.heard]
    return [(each["type"], each["data"]["facts"].get("level")) for each in read]


def _lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def test_a_pool_below_a_tenth_is_told_within_a_minute_and_once(ear):
    release = make_release(make_benefit(), codes=20)
    for _ in range(18):
        member = make_member()
        bind(member)
        claim(member, release)
    watch_pools()
    assert (drain_alarm_calls(), drain_alarm_calls()) == (1, 0)
    ((path, headers, body),) = ear.heard
    assert (path, headers["Content-Type"]) == ("/hooks/zone?team=7", "application/json")
    data = Webhook(SECRET).verify(body, _lower(headers))
    alarm = Alarm.objects.get()
    assert data == {
        "type": "alarm.raised",
        "timestamp": data["timestamp"],
        "id": headers["webhook-id"],
        "data": {
            "kind": "pool_low", "subject": release.public_id, "count": 1, "facts": alarm.facts,
            "first_at": data["data"]["first_at"], "last_at": data["data"]["last_at"],
            "settled_at": None, "settled_by": None,
        },
    }  # fmt: skip
    assert data["data"]["facts"]["left"] == 2
    watch_pools()
    assert drain_alarm_calls() == 0, "nothing new, nothing told"
    load_codes(release, 80)
    watch_pools()
    assert drain_alarm_calls() == 1
    assert told(ear) == [("alarm.raised", 10), ("alarm.settled", 10)]
    assert json.loads(ear.heard[1][2])["data"]["settled_by"] == "worker"


def test_a_worse_level_is_news_and_more_of_the_same_is_not(ear):
    for level in (50, 50, 20, 20, 10):
        raise_alarm(KIND, "rel_x", level=level)
        drain_alarm_calls()
    assert told(ear) == [("alarm.raised", level) for level in (50, 20, 10)]
    assert len({headers["webhook-id"] for _, headers, _ in ear.heard}) == 3
    raise_alarm(Alarm.Kind.WORKER_LOST, "clm_x", attempts=3)
    raise_alarm(Alarm.Kind.WORKER_LOST, "clm_x", attempts=4)
    drain_alarm_calls()
    assert told(ear)[3:] == [("alarm.raised", None)]


@pytest.mark.parametrize("answer", [500, 404, 302])
def test_who_does_not_answer_well_is_told_again_with_the_same_id(ear, answer):
    ear.answers = [answer, answer]
    raise_alarm(KIND, "rel_x", level=10)
    assert drain_alarm_calls() == 0
    alarm = Alarm.objects.get()
    assert (alarm.tell_attempts, alarm.tell_fault) == (1, f"answer {answer}")
    assert drain_alarm_calls() == 0, "not before its time"
    assert len(ear.heard) == 1
    for seconds in (6, 17):
        travel(seconds=seconds)
        drain_alarm_calls()
    assert told(ear) == [("alarm.raised", 10)] * 3
    assert len({headers["webhook-id"] for _, headers, _ in ear.heard}) == 1
    alarm.refresh_from_db()
    assert (alarm.told_number, alarm.tell_at, alarm.tell_fault) == (1, None, "")


def test_news_while_it_is_being_told_is_told_as_well(ear, monkeypatch):
    raise_alarm(KIND, "rel_x", level=20)
    post = alarm_hook.post

    def worse(*args, **options):
        monkeypatch.setattr(alarm_hook, "post", post)
        raise_alarm(KIND, "rel_x", level=10)
        return post(*args, **options)

    monkeypatch.setattr(alarm_hook, "post", worse)
    assert drain_alarm_calls() == 2
    assert told(ear) == [("alarm.raised", 20), ("alarm.raised", 10)]


def test_what_was_over_before_anybody_heard_of_it_is_not_told(ear):
    ear.answers = [500]
    raise_alarm(KIND, "rel_x", level=10)
    drain_alarm_calls()
    settle_alarms_of(KIND, "rel_x")
    travel(hours=1)
    assert drain_alarm_calls() == 0
    assert (len(ear.heard), Alarm.objects.get().tell_at) == (1, None)


def test_an_operator_who_looked_is_told_of_too(ear):
    raise_alarm(KIND, "rel_x", level=10)
    drain_alarm_calls()
    assert settle_alarm(Alarm.objects.get(), actor="operator:x", now=database_now())
    drain_alarm_calls()
    assert told(ear) == [("alarm.raised", 10), ("alarm.settled", 10)]


def test_nobody_listens_for_a_day_and_a_page_says_so(ear, client):
    raise_alarm(KIND, "rel_x", level=10)
    ear.answers = [500] * 99
    hours = 0
    while Alarm.objects.get().tell_at is not None:
        hours += 1
        travel(hours=hours)
        drain_alarm_calls()
    assert 20 <= hours <= 40
    sign_in_operator(client, make_operator("viewer"))
    alarm = Alarm.objects.get()
    page = client.get(f"/console/benefits/alarm/{alarm.pk}/change/").content.decode()
    assert "answer 500" in page


def test_without_an_address_nothing_waits(db):
    raise_alarm(KIND, "rel_x", level=10)
    assert (drain_alarm_calls(), Alarm.objects.get().tell_at) == (0, None)


def test_a_worker_that_dies_while_telling_is_followed_by_another(ear, monkeypatch):
    raise_alarm(KIND, "rel_x", level=10)

    def die(*args, **options):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(alarm_hook, "post", die)
        with pytest.raises(SystemExit):
            drain_alarm_calls()
    assert drain_alarm_calls() == 0
    travel(seconds=alarm_hook.LEASE / timedelta(seconds=1) + 1)
    assert drain_alarm_calls() == 1
    assert told(ear) == [("alarm.raised", 10)]
