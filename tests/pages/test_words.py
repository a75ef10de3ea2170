"""The catalogues: nothing left untranslated, no fact lost in translation."""

import ast
import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from zone.core.catalogues import LOCALE

FACTS = re.compile(r"%\(\w+\)[sd]|%%|%d|%s")


def read(folder):
    with (LOCALE / folder / "LC_MESSAGES" / "django.po").open("rb") as text:
        return read_po(text, locale=folder)


def forms(value):
    return [value] if isinstance(value, str) else list(value)


def test_every_sentence_is_said_in_simplified_chinese():
    untranslated = [m.id for m in read("zh_Hans") if m.id and not all(forms(m.string))]
    assert untranslated == []


def test_both_catalogues_hold_the_same_sentences():
    keys = [{(m.context, str(m.id)) for m in read(folder)} for folder in ("en", "zh_Hans")]
    assert keys[0] == keys[1]


def test_a_translation_keeps_the_facts_of_its_sentence():
    for message in read("zh_Hans"):
        wanted = {tuple(sorted(FACTS.findall(form))) for form in forms(message.id)}
        for form in forms(message.string) if message.id else []:
            assert tuple(sorted(FACTS.findall(form))) in wanted, (message.id, form)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "今日"),
        ("/benefits", "福利"),
        ("/me/benefits", "我的福利"),
        ("/inbox", "消息"),
        ("/settings", "设置"),
    ],
)
def test_a_chinese_reader_is_answered_in_chinese(alices_phone, alice, path, words):
    alice.language = "zh-hans"
    alice.save(update_fields=["language"])
    page = alices_phone.get(path).content.decode()

    assert f"<h1>{words}</h1>" in page
    assert "Skip to content" not in page


def said_in_one_language(tree):
    """Reasons inside a refusal that are given as plain English; names alone are in no language."""
    for call in ast.walk(tree):
        name = getattr(getattr(call, "func", None), "id", "")
        for fact in call.keywords if name.endswith("Refused") else ():
            text = fact.value.values[0] if isinstance(fact.value, ast.JoinedStr) else fact.value
            if fact.arg == "why" and isinstance(text, ast.Constant) and " " in str(text.value):
                yield call.lineno


def test_a_refusal_gives_its_reason_in_the_readers_language():
    plain = 'raise DrawRefused(why="the release has no stock.")'
    assert list(said_in_one_language(ast.parse(plain))) == [1]
    rooms = (settings.BASE_DIR / room for room in ("zone", "credits", "benefits"))
    found = [
        f"{file.name}:{line}"
        for room in rooms
        for file in room.rglob("*.py")
        for line in said_in_one_language(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []
