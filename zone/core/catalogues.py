"""Compiling message catalogues without gettext: `python -m zone.core.catalogues`.

A fresh machine has no `msgfmt`; Babel writes the same files.
"""

import sys
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_catalogues(folder: Path = LOCALE) -> int:
    """Bring every `.mo` up to its `.po`; tells how many were written.

    A translation marked fuzzy is left out: half-right words are worse than English.
    """
    written = 0
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        draft = target.with_suffix(".draft")
        with draft.open("wb") as binary:
            write_mo(binary, catalogue, use_fuzzy=False)
        draft.replace(target)
        written += 1
    return written


if __name__ == "__main__":
    sys.stdout.write(f"Catalogues compiled: {compile_catalogues()}\n")
