"""Codes that people read out, write down and type: ours, not Apple's.

The alphabet has 23 signs, none of which looks like another or like one that is missing: no B or 8,
no 0, O or G beside 6, no 1, I or L, no 5 or S, no 2 or Z, no V beside U. 23 is prime, so a weighted sum of
the signs, taken modulo 23, tells every single wrong sign and every two neighbours that changed
places (the reasoning of ISO 7064 and of ISBN-10, https://www.iso.org/standard/31531.html). The
last sign makes that sum zero. No code spells a word that one would not print on a card.
"""

import os
import re
from collections.abc import Iterator
from operator import mul

ALPHABET = "ACDEFHJKMNPQRTUWXY34679"
SIGNS = len(ALPHABET)
LENGTH = 16
_VALUES = {sign: value for value, sign in enumerate(ALPHABET)}
# What people write for a sign of ours, when the other one is not in the alphabet.
_LOOKS_LIKE = str.maketrans("GV", "6U")
# Digits read as the letters they resemble, so that a word is found in either spelling.
_AS_LETTERS = str.maketrans("34679", "EAGTG")
# Words of English, and letters that stand for them in Chinese, that these letters can spell.
_BANNED = (
    "ANUS", "ARYAN", "CACA", "CAO", "CNM", "CRACK", "CRAP", "CUM", "CUNT", "DAMN", "DEAD", "DEATH",
    "DRUG", "DTF", "DUMM", "FAG", "FART", "FAT", "FCK", "FECK", "FKU", "FUCK", "FUK", "GAY", "HATE",
    "HEX", "JEW", "KAFF", "KKK", "MDF", "MEAT", "MEK", "MMP", "MUFF", "NAKED", "NAZ", "NEGR",
    "NMD", "NRA", "NUDE", "PANTY", "PEE", "PENU", "PHUK", "PRYK", "PUKE", "PUNK", "RAPE", "RETARD",
    "RNM", "TARD", "TEAT", "THC", "TMD", "TURD", "TWAT", "UGLY", "WANK", "WTF", "XTC", "XXX", "YANK",
)  # fmt: skip
BANNED = tuple(word for word in _BANNED if set(word) <= set("ACDEFGHJKMNPQRTUWXY"))


def _form_of(words: tuple[str, ...]) -> str:
    """An expression for any of `words` that looks at each first letter once."""
    if "" in words:
        return ""
    tails: dict[str, list[str]] = {}
    for word in words:
        tails.setdefault(word[0], []).append(word[1:])
    forms = [first + _form_of(tuple(rest)) for first, rest in sorted(tails.items())]
    return forms[0] if len(forms) == 1 else f"(?:{'|'.join(forms)})"


_BANNED_FORM = re.compile(_form_of(BANNED))
# Bytes to signs: 253 is the largest multiple of 23 that a byte holds, and what is above it is left
# out, so that every sign is as likely as any other.
_EVEN = 256 - 256 % SIGNS
_TO_SIGNS = bytes(ord(ALPHABET[byte % SIGNS]) for byte in range(256))
_UNEVEN = bytes(range(_EVEN, 256))
_WEIGHTS = tuple(range(LENGTH, 1, -1))  # The check sign itself weighs 1.


def make_codes(count: int) -> Iterator[str]:
    """`count` codes from the system's source of randomness, each with its check sign.

    Each has 15 free signs, 67 bits: that two are equal or that one is guessed need not be feared,
    and the unique index would tell.
    """
    made = 0
    while made < count:
        wanted = (count - made) * (LENGTH - 1)
        signs = os.urandom(min(wanted + wanted // 50 + 64, 1 << 20)).translate(_TO_SIGNS, _UNEVEN)
        text = signs.decode()
        for start in range(0, len(text) - LENGTH + 2, LENGTH - 1):
            body = text[start : start + LENGTH - 1]
            code = body + check_sign(body)
            if is_printable(code):
                yield code
                made += 1
                if made == count:
                    return


def check_sign(body: str) -> str:
    """The sign that makes the weighted sum of `body` and itself a multiple of 23."""
    if len(body) != LENGTH - 1:
        raise ValueError(f"a body has {LENGTH - 1} signs")
    return ALPHABET[-sum(map(mul, _WEIGHTS, map(_VALUES.__getitem__, body))) % SIGNS]


def is_ours(code: str) -> bool:
    """Whether a code is one we could have made: its signs, its length and its check sign."""
    if len(code) != LENGTH or not set(code) <= _VALUES.keys():
        return False
    return check_sign(code[:-1]) == code[-1]


def is_printable(code: str) -> bool:
    """Whether it spells no word of the list, digits read as letters too."""
    return not _BANNED_FORM.search(code.translate(_AS_LETTERS))


def as_typed(code: str) -> str:
    """A code of ours as people write it, in the form it was made; whatever else stays as it is."""
    folded = code.translate(_LOOKS_LIKE)
    return folded if is_ours(folded) else code
