"""A partner's receiver on this machine, over TLS, as good or as bad as a test wants it."""

import datetime
import http.server
import ipaddress
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME = "hooks.acme.example"
OTHER_NAME = "slow.acme.example"
HUGE_BYTES = 64 * 1024 * 1024


@dataclass
class Letter:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(subject: str, key, issuer: str, issuer_key, *, is_authority=False, days=1):
    now = datetime.datetime.now(tz=datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=10))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        names = [x509.DNSName(NAME), x509.DNSName(OTHER_NAME)]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


class Authority:
    """A certificate authority of the test's own, and what it vouches for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.path = folder / "authority.pem"
        made = _certificate("authority", self.key, "authority", self.key, is_authority=True)
        self.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def chain(self, *, days: int = 1, is_self_signed: bool = False) -> Path:
        """A file of a fresh key and its certificate; `days` below zero has ended."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = key if is_self_signed else self.key
        name = NAME if is_self_signed else "authority"
        made = _certificate(NAME, key, name, issuer, days=days)
        path = self.folder / f"chain-{days}-{is_self_signed}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        return path


class Receiver:
    """Answers by the path that is asked for; keeps what came in, and how many came at once."""

    def __init__(self, chain: Path) -> None:
        self.letters: list[Letter] = []
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()
        self.open = threading.Event()  # What /gate waits for.
        self.status = 200  # What /told answers with.
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                with receiver.lock:
                    receiver.at_once += 1
                    receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
                try:
                    length = int(self.headers["Content-Length"])
                    letter = Letter(
                        self.path, dict(self.headers), self.rfile.read(length), time.monotonic()
                    )
                    with receiver.lock:
                        receiver.letters.append(letter)
                    receiver.answer(self)
                except OSError:
                    pass  # The other side gave up, as some tests want it to.
                finally:
                    with receiver.lock:
                        receiver.at_once -= 1

            def log_message(self, *_: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def url(self, path: str, *, name: str = NAME) -> str:
        return f"https://{name}:{self.server.server_port}{path}"

    def answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        path, headers, body = handler.path, {}, b"thanks"
        if path == "/hang":
            self.open.wait(30)
        elif path == "/gate":
            self.open.wait(5)
        elif path == "/reset":
            linger = struct.pack("ii", 1, 0)
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            handler.connection.close()
            return
        elif path == "/drip":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            for _ in range(200):
                handler.wfile.write(b"a")
                handler.wfile.flush()
                time.sleep(0.1)
            return
        elif path == "/redirect":
            headers["Location"] = self.url("/landed")
        elif path == "/later":
            headers["Retry-After"] = "7200"
        elif path == "/huge":
            body = b"x" * HUGE_BYTES
        statuses = {
            "/500": 500,
            "/redirect": 302,
            "/gone": 410,
            "/later": 503,
            "/told": self.status,
        }
        handler.send_response(statuses.get(path, 200))
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def stop(self) -> None:
        self.open.set()
        self.server.shutdown()
        self.server.server_close()


class Names:
    """A resolver of the test's own for names below `.example`; others are looked up as ever."""

    def __init__(self, monkeypatch) -> None:
        self.addresses: dict[str, list[str]] = {NAME: ["127.0.0.1"], OTHER_NAME: ["127.0.0.1"]}
        self.asked: list[str] = []
        real = socket.getaddrinfo

        def look_up(host, port, *args, **options):
            if not str(host).endswith(".example"):
                return real(host, port, *args, **options)
            self.asked.append(host)
            if host not in self.addresses:
                raise socket.gaierror(socket.EAI_NONAME, "not known")
            return [
                (
                    socket.AF_INET6 if ipaddress.ip_address(one).version == 6 else socket.AF_INET,
                    socket.SOCK_STREAM,
                    6,
                    "",
                    (one, port),
                )
                for one in self.addresses[host]
            ]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
