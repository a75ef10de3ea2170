"""A TCP proxy in front of PostgreSQL that loses requests and replies, by a seed."""

import random
import socket
import threading
from contextlib import suppress
from pathlib import Path

CHUNK_BYTES = 65_536


class Cuts:
    """Passes bytes on, until it cuts a connection: before a request arrives, or after it was done.

    The second is the harder one: the server has committed, and the client never hears of it.
    """

    def __init__(self, *, host: str, port: int, seed: int) -> None:
        self.host, self.server_port = host, port
        self.dice = random.Random(seed)
        self.request_share = self.reply_share = 0.0
        self.lost_requests = self.lost_replies = 0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect()
            except OSError:
                client.close()
                continue
            for source, target, is_reply in ((client, server, False), (server, client, True)):
                threading.Thread(
                    target=self._pass_on, args=(source, target, is_reply), daemon=True
                ).start()

    def _connect(self) -> socket.socket:
        if self.host.startswith("/"):
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(Path(self.host) / f".s.PGSQL.{self.server_port}"))
            return server
        return socket.create_connection((self.host, self.server_port))

    def _pass_on(self, source: socket.socket, target: socket.socket, is_reply: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if self._is_cut(is_reply):
                    break
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _is_cut(self, is_reply: bool) -> bool:
        with self._lock:
            share = self.reply_share if is_reply else self.request_share
            if self.dice.random() >= share:
                return False
            if is_reply:
                self.lost_replies += 1
            else:
                self.lost_requests += 1
            return True
