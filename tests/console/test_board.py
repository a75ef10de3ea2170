"""The console's first page: each figure is a count of the rows behind its link."""

from datetime import date

import pytest

from tests.factories import make_operator, sign_in_operator
from zone.console.chart import bar_chart, round_up
from zone.console.models import BooksCheck
from zone.console.queries.board import read_board
from zone.console.services import books

pytestmark = pytest.mark.django_db


def test_each_figure_counts_the_rows_behind_its_link(client, alice, bob, carol):
    operator = make_operator("auditor")
    sign_in_operator(client, operator)
    board = read_board(operator)
    figures = {figure.label: figure for figure in board.figures}
    assert (figures["Members"].value, figures["Bound"].value) == (3, 2)

    assert all(figure.link for figure in board.figures)
    for figure in board.figures:
        page = client.get(figure.link)
        assert page.status_code == 200, figure
        if figure.label not in {"Units left", "Credits outstanding"}:  # Sums over their lists.
            assert page.context["cl"].result_count == figure.value, figure


def test_a_viewer_sees_no_figure_about_people(client, alice):
    sign_in_operator(client, make_operator("viewer"))

    page = client.get("/console/")

    labels = {figure.label for figure in page.context["figures"]}
    assert not labels & {"Members", "Bound"}
    assert b"Check now" not in page.content


@pytest.mark.parametrize(
    ("value", "top"), [(0, 2), (2, 2), (3, 4), (9, 10), (11, 20), (399, 400), (401, 1000)]
)
def test_the_axis_ends_at_a_round_number(value, top):
    assert round_up(value) == top


def test_bars_are_as_tall_as_their_counts():
    days = [(date(2026, 11, 1), 0), (date(2026, 11, 2), 5), (date(2026, 11, 3), 10)]

    chart = bar_chart(days, ["a", "b", "c"])

    assert [bar.height for bar in chart.bars] == [0, 81.0, 162.0]
    assert [bar.y + bar.height for bar in chart.bars] == [176, 176, 176]
    assert chart.bars[1].says == "2026-11-02: 5"


def test_two_requests_are_one_check(client):
    sign_in_operator(client, make_operator("finance"))

    first, second = client.post("/console/books/check"), client.post("/console/books/check")

    assert (first.status_code, second.status_code) == (302, 302)
    assert BooksCheck.objects.filter(status="waiting").count() == 1


def test_only_those_who_may_have_the_books_checked(client):
    sign_in_operator(client, make_operator("editor"))

    assert client.post("/console/books/check").status_code == 403
    assert BooksCheck.objects.count() == 0


def test_the_books_of_a_fresh_database_are_clean():
    books.request_check(requested_by="worker")

    check = books.run_open_check()

    assert check is not None
    assert check.status in {"clean", "warning"}, check.report
    assert check.checked_count > 10
    assert "ok   AUDIT" in check.report


def test_the_worker_writes_what_the_books_say(monkeypatch, db):
    books.request_check(requested_by="worker")
    verdict = (BooksCheck.Status.BROKEN, "FAIL I1\n       7\nok   I2\n")
    monkeypatch.setattr(books, "verify_everything", lambda: verdict)

    check = books.run_open_check()

    assert check is not None
    assert (check.status, check.checked_count, check.lease_until) == ("broken", 2, None)
    assert books.run_open_check() is None


def test_a_board_that_is_kept_speaks_the_language_of_who_looks(client):
    sign_in_operator(client, make_operator("viewer"))
    assert "Claims today" in client.get("/console/").content.decode()
    chinese = client.get("/console/", headers={"Accept-Language": "zh-Hans"}).content.decode()
    assert "Claims today" not in chinese
