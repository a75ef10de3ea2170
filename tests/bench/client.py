"""A small HTTP/1.1 client for load: kept connections, ready-made bytes, one process."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass

READ_SECONDS_MAX = 30


@dataclass(slots=True)
class Answer:
    key: int  # which request it was
    status: int
    body: bytes
    seconds: float
    at: float  # when it was complete, seconds since the epoch


async def _worker(
    port: int, waiting: "asyncio.Queue[tuple[int, bytes]]", answers: list[Answer], until: float
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not waiting.empty() and time.perf_counter() < until:
        key, request = waiting.get_nowait()
        began = time.perf_counter()
        try:
            writer.write(request)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), READ_SECONDS_MAX)
            lower = head.lower()
            place = lower.find(b"content-length:")
            length = int(lower[place + 15 : lower.index(b"\r\n", place)]) if place > 0 else 0
            body = await reader.readexactly(length)
            status = int(head[9:12])
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            answers.append(Answer(key, 0, b"", time.perf_counter() - began, time.time()))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        answers.append(Answer(key, status, body, time.perf_counter() - began, time.time()))
        if b"connection: close" in lower:
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


def drive(
    port: int, requests: Iterable[bytes], *, clients: int, seconds_max: float = 600
) -> tuple[list[Answer], float]:
    """Send every request once, over `clients` connections; the answers and the time it took.

    What is not sent after `seconds_max` is not sent any more.
    """

    async def run() -> list[Answer]:
        waiting: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        for number, request in enumerate(requests):
            waiting.put_nowait((number, request))
        answers: list[Answer] = []
        await asyncio.gather(
            *(_worker(port, waiting, answers, began + seconds_max) for _ in range(clients))
        )
        return answers

    began = time.perf_counter()
    answers = asyncio.run(run())
    return answers, time.perf_counter() - began


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: bytes, *, cookie: str = "", is_panel: bool = True) -> bytes:
    """A form as htmx sends it, or as a page without scripts does."""
    panel = "HX-Request: true\r\n" if is_panel else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n{panel}"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def percentile(answers: list[Answer], share: float) -> float:
    """Milliseconds within which that share of the answers came."""
    ordered = sorted(answer.seconds for answer in answers)
    return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
