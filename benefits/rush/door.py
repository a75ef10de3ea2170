"""A WSGI application in front of the application."""

import time
from collections.abc import Callable, Iterable
from typing import Any

from benefits.rush.asked import ROUTE, Answer, Asked, Environ, Headers, Position, read_asked
from benefits.rush.gone import GONE, OWNED, Gone, Late
from benefits.rush.turns import Turns
from benefits.rush.winners import WON, Winners
from zone.core import logs
from zone.core.ids import new_public_id
from zone.core.middleware import log_access

PATIENCE_SECONDS = 0.25
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class RushDoor:
    """Answer what thousands ask in a rush; whatever is not plain goes on to `application`.

    Called by several threads. Those who press the button at the same time are served together;
    pages are made one after the other, except beside one that has to wait for something.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        # Work for the processor, of which two in one process would only take turns.
        self.pages = Turns(PATIENCE_SECONDS)
        self.gone = Gone()
        self.winners = Winners()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        started = time.monotonic()
        asked = read_asked(environ)
        if asked is None:
            with self.pages.take():
                return self.application(environ, start_response)
        late, owner, answer = self._find(asked)
        if answer is None and self.pages.is_taken():
            with self.pages.take():
                pass
            # Whoever was served meanwhile may have been told what this one is to be told.
            late, owner, answer = self._find(asked)
        if answer is not None:
            return self._say(answer, start_response, started)
        with self.pages.take():
            return self._pass_on(asked, start_response, late, owner)

    def _say(
        self, answer: Answer, start_response: Callable[..., Any], started: float
    ) -> Iterable[bytes]:
        request_id = new_public_id("req")
        mark = logs.request_id.set(request_id)
        try:
            log_access("POST", ROUTE, int(answer.status[:3]), time.monotonic() - started)
        finally:
            logs.request_id.reset(mark)
        start_response(answer.status, [*answer.headers, ("Request-Id", request_id)])
        return [answer.body]

    def _find(self, asked: Asked) -> tuple[Late | None, Position | None, Answer | None]:
        """Where whoever asks stands, when it is gone and while it is being claimed; the answer."""
        late, answer = self.gone.find(asked)
        if late is not None and late.is_retry:
            return late, None, self.winners.say_again(asked)
        if late is not None:
            return late, None, answer
        return None, *self.winners.claim(asked)

    def _pass_on(
        self,
        asked: Asked,
        start_response: Callable[..., Any],
        late: Late | None,
        owner: Position | None,
    ) -> Iterable[bytes]:
        """The page's answer, as it came; kept when it says that it may be said again."""
        said: list[tuple[str, Headers]] = []

        def heard(status: str, headers: Headers, *rest: Any) -> Any:
            said.append((status, headers))
            return start_response(status, headers, *rest)

        body = self.application(asked.environ, heard)
        if not asked.environ.keys().isdisjoint({GONE, OWNED, WON}):
            status, headers = said[-1]
            names = {name.lower() for name, _ in headers}
            if status.startswith("200 ") and "set-cookie" not in names:
                everyones = [header for header in headers if header[0] != "Request-Id"]
                answer = Answer(status, everyones, b"".join(body))
                if WON not in asked.environ and (late is not None or GONE in asked.environ):
                    self.gone.keep(asked, late, answer)
                else:
                    self.winners.keep(asked, owner, answer)
        return body
