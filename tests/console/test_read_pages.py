"""What operators only read: no braces, no link to a page that is closed to them, no bare void."""

import re

import pytest
from django.urls import reverse

from credits.models import AdjustRequest, Mission, TierPlan
from tests.factories import make_operator, sign_in_operator
from zone.console.said import say
from zone.core.clock import database_now
from zone.notices.models import Notice

pytestmark = pytest.mark.django_db


def read(client, operator, name, pk):
    sign_in_operator(client, operator)
    answer = client.get(reverse(f"admin:{name}_change", args=[pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_facts_are_names_and_values(client, alice):
    notice = Notice.objects.create(
        member=alice,
        kind="price_rise",
        facts={"name": {"en": "Music"}, "old_price": 1100, "is_new": False, "days": [1, 2]},
        created_at=database_now(),
    )
    page = read(client, make_operator("auditor"), "notices_notice", notice.pk)

    assert "{&quot;" not in page
    assert re.search(r"<dt>old price</dt><dd>1100</dd>", page)
    assert "<dd>1, 2</dd>" in page


def test_texts_that_cannot_be_changed_are_read_and_those_that_can_have_inputs(client):
    mission = Mission.objects.first()
    said = read(client, make_operator("auditor"), "credits_mission", mission.pk)
    assert "<dt>zh-hans</dt>" in said
    assert 'name="names_0"' not in said
    client.cookies.clear()
    edited = read(client, make_operator("finance"), "credits_mission", mission.pk)
    assert 'name="names_0"' in edited
    assert "<dt>zh-hans</dt>" not in edited


def test_nothing_that_is_written_by_somebody_is_markup():
    assert say({"note": "<b>x</b>", "rows": [{"a": "<i>"}]}) == (
        '<dl class="said"><div><dt>note</dt><dd>&lt;b&gt;x&lt;/b&gt;</dd></div>'
        '<div><dt>rows</dt><dd><ol class="said"><li><dl class="said"><div><dt>a</dt>'
        "<dd>&lt;i&gt;</dd></div></dl></li></ol></dd></div></dl>"
    )
    assert [say(value) for value in (None, "", [], {}, 0, True)] == ["–", "–", "–", "–", "0", "yes"]


@pytest.mark.parametrize(("role", "is_linked"), [("finance", False), ("support", True)])
def test_only_who_may_open_a_member_has_a_link_to_one(client, alice, role, is_linked):
    row = AdjustRequest.objects.create(
        member=alice, amount=5, reason="goodwill", note="x", maker=make_operator("finance"),
        created_at=database_now(), expires_at=database_now(),
    )  # fmt: skip
    page = read(client, make_operator(role), "credits_adjustrequest", row.pk)

    assert alice.public_id in page
    assert (f'/console/members/member/{alice.pk}/change/"' in page) is is_linked


def test_a_correction_is_asked_for_by_the_id_that_members_have(client, alice):
    sign_in_operator(client, make_operator("finance"))
    add = reverse("admin:credits_adjustrequest_add")
    assert "/console/members/member/" not in client.get(add).content.decode().split("<form")[-1]
    form = {"amount": 5, "reason": "goodwill", "note": "x"}
    refused = client.post(add, {**form, "member": "mbr_nobody"})
    assert "There is no such member." in refused.content.decode()
    assert AdjustRequest.objects.count() == 0
    assert client.post(add, {**form, "member": alice.public_id}).status_code == 302
    assert AdjustRequest.objects.get().member == alice


@pytest.mark.parametrize(
    ("query", "said"),
    [("", "Nothing here yet."), ("?q=x", "Nothing fits what you looked for.")],
)
def test_an_empty_list_says_so(client, query, said):
    sign_in_operator(client, make_operator("auditor"))
    page = client.get(reverse("admin:credits_freeze_changelist") + query).content.decode()
    assert said in page


def test_rows_inside_another_row_are_put_in_words_too(client):
    plan = TierPlan.objects.get()
    said = read(client, make_operator("auditor"), "credits_tierplan", plan.pk)
    assert "<dt>zh-hans</dt>" in said
    assert "{&quot;en" not in said
    client.cookies.clear()
    edited = read(client, make_operator("finance"), "credits_tierplan", plan.pk)
    assert 'name="tiers-0-names_1"' in edited


def test_columns_and_rooms_are_named_in_the_language_of_the_operator(client, alice):
    operator = make_operator("auditor")
    sign_in_operator(client, operator)
    client.cookies["django_language"] = "zh-hans"
    page = client.get(
        reverse("admin:members_member_change", args=[alice.pk]),
        headers={"Accept-Language": "zh-Hans"},
    ).content.decode()
    assert "编号" in page
    assert "Public id" not in page
    assert ">福利</a>" in page
    assert ">Benefits</a>" not in page
