"""A second start skips preparation only while nothing that it stands for has changed."""

import pytest
from django.db import connection

from zone.embedded.prepared import Prepared

pytestmark = pytest.mark.django_db


@pytest.fixture
def prepared(tmp_path, settings):
    code = tmp_path / "code"
    (code / "zone").mkdir(parents=True)
    (code / "zone" / "settings.py").write_text("one")
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "staticfiles.json").write_text("{}")
    mark = Prepared(tmp_path, code)
    mark.record()
    return mark


def test_unchanged_is_current(prepared):
    assert prepared.is_current()


def test_forgotten_is_not_current(prepared):
    prepared.forget()
    assert not prepared.is_current()


@pytest.mark.parametrize("name", ["settings.py", "new.py"])
def test_a_changed_or_new_file_asks_for_preparation(prepared, name):
    (prepared.code / "zone" / name).write_text("two, longer")
    assert not prepared.is_current()


def test_a_new_database_asks_for_preparation(prepared):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO pg_temp")  # Nothing there: as if made anew.
    assert not prepared.is_current()


def test_static_files_that_went_ask_for_preparation(prepared, settings):
    (settings.STATIC_ROOT / "staticfiles.json").unlink()
    assert not prepared.is_current()
