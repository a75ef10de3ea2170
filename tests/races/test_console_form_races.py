"""A form of the console saved while its row changes: only what the form is about is written.

Saving writes every column of a row. Each story has a control: without the lock on what is read,
what happened meanwhile is written back.
"""

import time
from unittest import mock

import pytest
from django.test import Client

from benefits import artwork
from benefits.models import Benefit, Budget, BudgetShare, Release
from benefits.services.lifecycle import move_benefit
from benefits.services.stock import change_stock
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import make_operator, sign_in_operator
from tests.races.test_claim_races import books, make_members
from tests.threads import together
from zone.console.manners import ConsoleManners
from zone.core.clock import database_now

READ_TO_SAVE_SECONDS = 0.6
WHO = {"actor": "operator:x"}
BLANK = ("-TOTAL_FORMS", "-INITIAL_FORMS")


def slow_forms():
    """A moment between reading a row and saving it, long enough to meet in."""
    save_form = ConsoleManners.save_form

    def slowly(*args, **options):
        time.sleep(READ_TO_SAVE_SECONDS)
        return save_form(*args, **options)

    return mock.patch.object(ConsoleManners, "save_form", slowly)


def without_the_lock():
    return mock.patch.object(ConsoleManners, "_hold")


def editor():
    client = Client()
    sign_in_operator(client, make_operator("editor"))
    return client


def fields_of(client, address):
    """What the page's own form would send back unchanged."""
    page = client.get(address)
    form = page.context["adminform"].form
    data = {}
    for name in form.fields:
        value = form[name].value()
        widget = form.fields[name].widget
        if hasattr(widget, "widgets"):  # Date and time, apart.
            parts = widget.decompress(value) if not isinstance(value, list) else value
            data |= {f"{name}_{n}": part for n, part in enumerate(parts) if part is not None}
        elif value is not None and value is not False:
            data[name] = value
    for inline in page.context["inline_admin_formsets"]:
        data |= {f"{inline.formset.prefix}{part}": 0 for part in BLANK}
    return data


def while_saving(client, address, data, rival):
    def save():
        return client.post(address, data).status_code

    def meanwhile():
        time.sleep(READ_TO_SAVE_SECONDS / 2)
        return rival()

    with slow_forms():
        answers = together([save, meanwhile])
    assert answers[0] == 302, answers
    assert not isinstance(answers[1], Exception), answers


def a_release_is_raised():
    release = make_release(make_benefit(), stock=10)
    client, address = editor(), f"/console/benefits/release/{release.pk}/change/"
    data = {**fields_of(client, address), "refill_percent": 35}

    def raise_it():
        return change_stock(
            release=Release.objects.get(pk=release.pk), expected=10, target=15,
            now=database_now(), **WHO,
        )  # fmt: skip

    while_saving(client, address, data, raise_it)
    release.refresh_from_db()
    return release.refill_percent, release.stock


def a_budget_is_spent():
    budget = Budget.objects.create(code="b", name="B", currency="CNY", amount=900)
    share = BudgetShare.objects.create(budget=budget, funder="apple", basis_points=10000)
    release = make_release(make_benefit(budget=budget, unit_cost=300), codes=2)
    (member,) = make_members(1)
    client, address = editor(), f"/console/benefits/budget/{budget.pk}/change/"
    data = {
        **fields_of(client, address), "name": "Launch",
        "shares-TOTAL_FORMS": 1, "shares-INITIAL_FORMS": 1, "shares-0-id": share.pk,
        "shares-0-budget": budget.pk, "shares-0-funder": "apple", "shares-0-basis_points": 10000,
    }  # fmt: skip
    while_saving(client, address, data, lambda: claim(member, release))
    budget.refresh_from_db()
    return budget.name, budget.spent


def a_benefit_is_paused():
    benefit = make_benefit(sort_weight=100)
    client, address = editor(), "/console/benefits/benefit/"
    data = {
        "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": benefit.pk,
        "form-0-sort_weight": 5, "_save": "Save",
    }  # fmt: skip

    def pause():
        return move_benefit(
            benefit=Benefit.objects.get(pk=benefit.pk), to="paused", now=database_now(), **WHO
        )

    while_saving(client, address, data, pause)
    benefit.refresh_from_db()
    return benefit.sort_weight, benefit.status


STORIES = [
    (a_release_is_raised, (35, 15), (35, 10)),
    (a_budget_is_spent, ("Launch", 300), ("Launch", 0)),
    (a_benefit_is_paused, (5, "paused"), (5, "live")),
]


@pytest.mark.parametrize(("story", "both"), [case[:2] for case in STORIES])
def test_what_happened_meanwhile_stays(cloned_database, story, both):
    assert story() == both
    code, report = books(cloned_database)
    assert code == 0, report


@pytest.mark.parametrize(("story", "lost"), [(case[0], case[2]) for case in STORIES])
def test_control_without_the_lock_it_is_written_back(cloned_database, story, lost):
    with without_the_lock():
        assert story() == lost, "the control must see a change lost"
    if story is not a_benefit_is_paused:
        code, report = books(cloned_database)
        assert code == 1, report


def test_a_picture_is_cut_while_others_write_its_benefit(cloned_database):
    """Cutting takes seconds: nobody waits for it, and it writes nothing but the picture."""
    benefit = make_benefit()
    client, paused_at = editor(), []
    cut = artwork.set_artwork

    def slowly(row, picture):
        time.sleep(2 * READ_TO_SAVE_SECONDS)
        paused_at.append(Benefit.objects.get(pk=row.pk).status)
        return cut(row, picture)

    def save():
        return client.post(f"/console/benefits/benefit/{benefit.pk}/picture/").status_code

    def pause():
        time.sleep(READ_TO_SAVE_SECONDS / 2)
        move_benefit(
            benefit=Benefit.objects.get(pk=benefit.pk), to="paused", now=database_now(), **WHO
        )

    with mock.patch.object(artwork, "set_artwork", slowly):
        assert together([save, pause]) == [302, None]
    row = Benefit.objects.get(pk=benefit.pk)
    assert (paused_at, row.status, bool(row.artwork)) == (["paused"], "paused", True)
