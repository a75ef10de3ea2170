"""A TCP proxy in front of Redis that breaks what passes through it."""

import socket
import struct
import threading
from contextlib import suppress

CHUNK_BYTES = 65_536
RESET = struct.pack("ii", 1, 0)  # Closing says RST, as a machine that lost its memory would.


class Wires:
    """Passes bytes on. `reset` breaks every open connection, `swallow` leaves them open and dead."""

    def __init__(self, port: int) -> None:
        self.server_port = port
        self.ends: list[socket.socket] = []
        self.swallowed: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        self.reset()

    def reset(self) -> int:
        """Break every connection that is open now; how many."""
        with self._lock:
            ends, self.ends = self.ends, []
        for end in ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # Wakes the thread that reads it.
            with suppress(OSError):
                end.close()
        return len(ends)

    def swallow(self) -> int:
        """From now on nothing passes through what is open, and nobody is told; how many.

        New connections work: this is a router that forgot its table.
        """
        with self._lock:
            self.swallowed.update(self.ends)
            return len(self.ends)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.server_port))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                with suppress(OSError, UnboundLocalError):
                    client.close()
                continue
            with self._lock:
                self.ends += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass_on, args=(source, target), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if source not in self.swallowed:
                    target.sendall(data)
        if source in self.swallowed:
            return  # The other side is not told either.
        for end in (source, target):
            with suppress(OSError):
                end.close()
