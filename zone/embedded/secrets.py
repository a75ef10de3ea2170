"""Secrets for development: made once, kept beside the data, refused in production."""

import contextlib
import os
import secrets
from pathlib import Path

from zone.embedded.refusal import about_folder


def development_secrets(data: Path) -> dict[str, str]:
    """The secrets in `data`/secrets.env (mode 0600), written on first use. Raises CannotStart."""
    try:
        return _read_or_make(data)
    except OSError as error:
        raise about_folder(data, error) from None


def _read_or_make(data: Path) -> dict[str, str]:
    path = data / "secrets.env"
    if not path.exists():
        data.mkdir(parents=True, exist_ok=True)
        lines = [
            f"SECRET_KEY=development-{secrets.token_urlsafe(48)}",
            f"ZONE_KEYS=development-1:{secrets.token_hex(32)}",
            f"ZONE_INDEX_KEY=development-{secrets.token_hex(32)}",
        ]
        draft = path.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)  # Two processes starting at once: the first one's file stays.
        draft.unlink()
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines() if line)
    return {name: value for name, _, value in pairs}
