"""The data folder: where locks, sockets and logs of the private servers are."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from zone.embedded.refusal import CannotStart, about_folder, no_space

# The kernel takes 107 bytes (Linux) or 103 (macOS) for a socket's path, its name included.
SOCKET_FOLDER_BYTES_MAX = 80
FREE_BYTES_MIN = 300 * 1024 * 1024


@dataclass(frozen=True)
class Folder:
    """The data folder and the fixed places inside it."""

    root: Path

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def sockets(self) -> Path:
        """A folder whose path is short enough for a unix socket."""
        inside = self.run / "sockets"
        if len(os.fsencode(inside)) <= SOCKET_FOLDER_BYTES_MAX:
            return inside
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        base = Path(tempfile.gettempdir())
        if len(os.fsencode(base)) > SOCKET_FOLDER_BYTES_MAX - 30:
            base = Path("/tmp")  # noqa: S108  the folder is checked to be ours alone
        return base / f"zone-{os.getuid()}-{name}"

    def prepare(self) -> None:
        """Make the folders. Safe to repeat. Raises CannotStart with the reason."""
        try:
            self.run.mkdir(parents=True, exist_ok=True)
            self.sockets.mkdir(mode=0o700, exist_ok=True)
            probe = self.run / f"probe.{os.getpid()}"
            probe.write_bytes(b"0")
            probe.unlink()
        except OSError as error:
            raise about_folder(self.root, error) from None
        about = self.sockets.lstat()
        # Under /tmp anybody could have made it first: it must be a folder, and nobody else's.
        if not stat.S_ISDIR(about.st_mode) or (os.getuid() and about.st_uid != os.getuid()):
            raise CannotStart(
                f"{self.sockets} belongs to someone else. Name a shorter folder with ZONE_DATA."
            )

    def refuse_full_disk(self) -> None:
        """Raises CannotStart when a server could not even write its first files."""
        if shutil.disk_usage(self.root).free < FREE_BYTES_MIN:
            raise no_space(self.root)

    def lock(self, name: str) -> "Lock":
        return Lock(self.run / f"{name}.lock")


class Lock:
    """A file lock that the kernel releases when its holder ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise about_folder(path.parent.parent, error) from None

    def share(self) -> None:
        fcntl.flock(self.handle, fcntl.LOCK_SH)

    def take(self) -> None:
        fcntl.flock(self.handle, fcntl.LOCK_EX)

    def try_take(self) -> bool:
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        fcntl.flock(self.handle, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self.handle)

    def is_in_place(self) -> bool:
        """Whether the file still is where others look for it: false once the folder is removed."""
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return False
        ours = os.fstat(self.handle)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)
