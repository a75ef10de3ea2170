"""Codes made here: no sign that looks like another, no word, every slip of the pen is noticed."""

import re

import pytest

from benefits import readable
from benefits.errors import ImportRefused
from benefits.models import CodeBatch
from benefits.services import code_imports, pools
from benefits.services.code_making import make_code_batch
from tests.benefits.factories import make_benefit, make_release
from zone.core.clock import database_now

LOOK_ALIKES = ["0OQ", "1IL", "8B", "5S", "2Z", "6G", "UV"]


def test_no_two_signs_of_the_alphabet_look_alike():
    assert len(set(readable.ALPHABET)) == readable.SIGNS == 23
    for group in LOOK_ALIKES:
        assert len(set(group) & set(readable.ALPHABET)) <= 1, group


def test_a_million_codes_are_clean():
    """All of them, one by one: signs, words, check sign, and none twice."""
    codes = list(readable.make_codes(1_000_000))
    assert len(set(codes)) == len(codes) == 1_000_000
    text = "\n".join(codes)
    assert set(text) == set(readable.ALPHABET) | {"\n"}
    assert len(text) == 17 * len(codes) - 1
    words = re.compile("|".join(readable.BANNED))
    assert not words.search(text)
    assert not words.search(text.translate(str.maketrans("34679", "EAGTG")))
    # Column by column: the weighted sum of all signs of a code is a multiple of 23.
    values = (
        text.replace("\n", "")
        .translate({ord(sign): chr(value) for value, sign in enumerate(readable.ALPHABET)})
        .encode()
    )
    columns = [values[place::16] for place in range(16)]
    sums = [0] * len(codes)
    for weight, column in zip(range(16, 0, -1), columns, strict=True):
        sums = [total + weight * value for total, value in zip(sums, column, strict=True)]
    assert not any(total % 23 for total in sums)


def test_every_wrong_sign_and_every_swap_of_neighbours_is_noticed():
    for code in readable.make_codes(50):
        for place in range(16):
            for sign in readable.ALPHABET:
                wrong = code[:place] + sign + code[place + 1 :]
                assert readable.is_ours(wrong) == (wrong == code)
        for place in range(15):
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            assert readable.is_ours(swapped) == (swapped == code)


@pytest.mark.parametrize("word", readable.BANNED)
def test_a_word_is_found_anywhere_and_with_digits_for_letters(word):
    assert not readable.is_printable("Y" + word + "W")
    spelled = word.translate(str.maketrans("EATG", "3476"))
    assert not readable.is_printable(spelled + "M")


def test_the_list_keeps_something_out():
    assert len(readable.BANNED) > 40
    assert readable.is_printable("HJMNPRTUWXYHJMNP")


def write_down(code):
    """As people write it: in groups, small, with signs mistaken for their look-alikes."""
    grouped = " - ".join(code[start : start + 4] for start in range(0, 16, 4)).lower()
    return grouped.replace("6", "g").replace("u", "v")


def test_a_code_is_known_however_it_is_typed():
    for code in readable.make_codes(200):
        for typed in (
            code,
            code.lower(),
            f" {code[:4]} {code[4:8]}-{code[8:]}\n",
            write_down(code),
        ):
            assert code in pools.readings(typed), typed


def test_a_code_from_elsewhere_is_left_as_it_is():
    assert pools.readings("gv0o1il8b5s2z6gu") == ["GV0O1IL8B5S2Z6GU"]


def test_codes_are_made_sealed_and_sold_in_the_background(db):
    release = make_release(make_benefit(kind="partner_perk"), mode="codes")
    row = make_code_batch(release=release, count=5_000, actor="operator:x", now=database_now())
    while code_imports.drain_imports():
        pass
    row.refresh_from_db()
    release.refresh_from_db()
    assert (row.state, row.accepted_count, row.fault_counts, release.stock) == (
        "done", 5_000, {}, 5_000,
    )  # fmt: skip
    assert CodeBatch.objects.get().source == "platform"
    code = release.codes.select_related("batch").first()
    assert readable.is_ours(pools.open_code(code).code)
    assert pools.open_code(code).redeem_url == ""


def test_apple_redeems_no_code_made_here(db):
    release = make_release(make_benefit(kind="app_store_coupon"), mode="codes")
    with pytest.raises(ImportRefused):
        make_code_batch(release=release, count=5, actor="operator:x", now=database_now())
