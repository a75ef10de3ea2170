"""Benefits made from benefits, drafts in the bin, words that are missing, and the order of it all."""

from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from benefits import errors
from benefits.models import Benefit, BenefitText, Bundle, OpeningHours, PriceRow, Quota
from benefits.queries import list_cards, list_gaps, with_gap_in
from benefits.services.bin import bin_benefit, restore_benefit
from benefits.services.copies import CHANGEABLE, clone_benefit
from benefits.services.lifecycle import move_benefit
from benefits.services.rules import set_rule
from tests.api.caller import make_partner
from tests.benefits.factories import claim, make_benefit, make_release
from tests.factories import make_operator, sign_in, sign_in_operator
from zone.console.models import OperatorScope
from zone.core.clock import database_now
from zone.core.wording import language_chain

pytestmark = pytest.mark.django_db
OWN = {"id", "public_id", "slug", "status", "created_at", "updated_at"}


def whole_benefit(**fields):
    """A sandbox benefit with everything that a copy has to bring along."""
    benefit = make_benefit(livemode=False, hue="pink", per_member=2, unit_cost=300, **fields)
    BenefitText.objects.filter(benefit=benefit).update(
        subtitle="For {{season}}", steps=[{"title": "Open", "text": "in {{ season }}"}]
    )
    Quota.objects.create(benefit=benefit, holder="member", period="day", allowed=2)
    PriceRow.objects.create(benefit=benefit, position=1, wallet_id="ALIPAY_HK", price_credits=7)
    OpeningHours.objects.create(
        benefit=benefit, weekdays=[2], starts_on=date(2026, 1, 1),
        opens_at_local=time(10), closes_at_local=time(12),
    )  # fmt: skip
    set_rule(
        benefit=benefit, tree={"is": "bound", "days": 3}, actor="operator:x", now=database_now()
    )
    return benefit


def columns(row, but):
    return {
        f.name: f.value_from_object(row) for f in row._meta.concrete_fields if f.name not in but
    }


def test_out_of_the_sandbox_in_one_action_it_differs_only_where_it_says(alice):
    benefit = whole_benefit()
    make_release(benefit, codes=1)
    copy = clone_benefit(
        benefit=benefit, slug="live-one", actor="operator:x", now=database_now(),
        changes={"livemode": True, "price_credits": 30}, variables={"season": "spring"},
    )  # fmt: skip
    one, other = columns(benefit, OWN), columns(copy, OWN)
    assert {name for name in one if one[name] != other[name]} == {"livemode", "price_credits"}
    assert (copy.slug, copy.status, copy.public_id != benefit.public_id) == (
        "live-one", "draft", True,
    )  # fmt: skip
    text = copy.texts.get()
    assert (text.subtitle, text.steps) == ("For spring", [{"title": "Open", "text": "in spring"}])
    assert benefit.texts.get().subtitle == "For {{season}}", "the original keeps its gaps"
    for related in ("quotas", "price_rows", "hours"):
        skipped = {"id", "benefit", "planned_until"}
        assert [columns(row, skipped) for row in getattr(copy, related).all()] == [
            columns(row, skipped) for row in getattr(benefit, related).all()
        ]
    assert copy.hours.get().spans.exists()
    assert copy.rule_versions.get().tree == {"is": "bound", "days": 3}
    assert (copy.releases.count(), copy.claims.count()) == (0, 0)
    made = copy.events.get(cause="copy")
    assert made.facts == {"of": benefit.public_id, "differs": ["livemode", "price_credits"]}
    make_release(copy, codes=1)  # Supply is the new one's own.
    for to, who in (("in_review", "operator:x"), ("scheduled", "operator:y")):
        move_benefit(benefit=copy, to=to, actor=who, now=database_now())
    OpeningHours.objects.filter(benefit=copy).delete()
    set_rule(benefit=copy, tree={}, actor="operator:x", now=database_now())
    assert [card.benefit.slug for card in list_cards(
        member=alice, available=30, now=database_now()
    )] == ["live-one"]  # fmt: skip


def test_a_template_is_not_published_with_its_gaps():
    benefit = whole_benefit(status="draft")
    with pytest.raises(errors.NotReady) as refused:
        move_benefit(benefit=benefit, to="in_review", actor="operator:x", now=database_now())
    assert "words for {{season}}" in str(refused.value)


@pytest.mark.parametrize(
    "asked",
    [
        {"slug": "taken"},
        {"changes": {"kind": "offer_code"}},
        {"variables": {"saison": "spring"}},
        {"variables": {}},
    ],
)
def test_a_copy_that_cannot_be_made_leaves_nothing(asked):
    make_benefit(slug="taken")
    benefit = whole_benefit()
    values = {"slug": "copy", "variables": {"season": "spring"}, **asked}
    with pytest.raises(errors.CopyRefused):
        clone_benefit(benefit=benefit, actor="operator:x", now=database_now(), **values)
    assert Benefit.objects.count() == 2


def test_every_field_that_may_differ_is_a_field():
    assert set(CHANGEABLE) <= {field.name for field in Benefit._meta.fields}


def test_copied_and_binned_and_back_in_the_console(client):
    sign_in_operator(client, make_operator("editor"))
    benefit = whole_benefit()

    def page(row, verb):
        return reverse(f"admin:benefits_benefit_{verb}", args=[row.pk])

    first = client.get(page(benefit, "promote")).context["form"].initial
    assert first["variables"] == "season = "
    form = {**first, "slug": "for-spring", "variables": "season = spring"}
    assert client.post(page(benefit, "promote"), form).status_code == 302
    copy = Benefit.objects.get(slug="for-spring")
    assert copy.livemode is True
    assert copy.events.get(cause="copy").facts["differs"] == ["livemode"]

    def listed(query=""):
        rows = client.get(reverse("admin:benefits_benefit_changelist") + query)
        return {row.slug for row in rows.context["cl"].result_list}

    assert client.post(page(copy, "bin"), {"reason": "a typing mistake"}).status_code == 302
    assert listed() == {benefit.slug}
    assert listed("?bin=in") == {"for-spring"}
    assert client.post(page(copy, "restore")).status_code == 302
    assert listed() == {benefit.slug, "for-spring"}
    assert [event.cause for event in copy.events.order_by("pk")] == ["rule", "copy", "bin", "unbin"]


def test_a_copy_for_another_country_is_where_the_button_leads(client):
    sign_in_operator(client, make_operator("editor"))
    benefit = make_benefit(wallets=["ALIPAY_CN"], storefronts=["CHN"], valid_days=9)
    address = reverse("admin:benefits_benefit_copy", args=[benefit.pk])
    form = client.get(address).context["form"].initial
    asked = {**form, "slug": "there", "wallets": "alipay_hk GCASH", "storefronts": "hkg PHL"}
    answer = client.post(address, asked)
    copy = Benefit.objects.get(slug="there")
    assert answer["Location"] == reverse("admin:benefits_benefit_change", args=[copy.pk])
    assert (copy.wallets, copy.storefronts) == (["ALIPAY_HK", "GCASH"], ["HKG", "PHL"])
    one, other = columns(benefit, OWN), columns(copy, OWN)
    assert {name for name in one if one[name] != other[name]} == {"wallets", "storefronts"}
    assert copy.events.get(cause="copy").facts["differs"] == ["storefronts", "wallets"]


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"wallets": "ALIPAY_CN MARS"}, "There is no wallet “MARS”."),
        ({"storefronts": "HK"}, "“HK” is no region: codes have three letters, such as HKG."),
        ({"storefronts": "CHN XQX"}, "“XQX” is no region: codes have three letters, such as HKG."),
    ],
)
def test_a_market_that_is_none_is_refused_by_name(client, asked, says):
    sign_in_operator(client, make_operator("editor"))
    benefit = make_benefit(status="draft")
    copy = reverse("admin:benefits_benefit_copy", args=[benefit.pk])
    form = client.get(copy).context["form"].initial
    assert says in client.post(copy, {**form, **asked}).content.decode()
    change = reverse("admin:benefits_benefit_change", args=[benefit.pk])
    asked = {name: value.replace(" ", ",") for name, value in asked.items()}
    assert says in client.post(change, {"slug": benefit.slug, **asked}).content.decode()
    assert Benefit.objects.count() == 1


@pytest.mark.parametrize("wallets", ["", "ALIPAY_CN", "ALIPAY_HK ALIPAY_CN"])
def test_an_operator_of_one_wallet_copies_into_no_other(client, wallets):
    operator = make_operator("editor")
    OperatorScope.objects.create(user=operator).wallets.set(["ALIPAY_HK"])
    sign_in_operator(client, operator)
    benefit = make_benefit(wallets=["ALIPAY_HK"], livemode=False)
    for verb in ("copy", "promote"):
        address = reverse(f"admin:benefits_benefit_{verb}", args=[benefit.pk])
        form = client.get(address).context["form"].initial
        refused = client.post(address, {**form, "wallets": wallets})
        assert "Name wallets of yours: ALIPAY_HK." in refused.content.decode()
        assert Benefit.objects.count() == 1
    assert client.post(address, form).status_code == 302
    assert Benefit.objects.get(slug=form["slug"]).wallets == ["ALIPAY_HK"]


def test_a_draft_in_the_bin_comes_back_for_thirty_days():
    draft = make_benefit(status="draft")
    now = database_now()
    bin_benefit(benefit=draft, actor="operator:x", now=now)
    with pytest.raises(errors.IllegalMove):
        move_benefit(benefit=draft, to="in_review", actor="operator:x", now=now)
    with pytest.raises(errors.BinRefused):
        bin_benefit(benefit=draft, actor="operator:x", now=now)
    with pytest.raises(errors.BinRefused):
        restore_benefit(benefit=draft, actor="operator:x", now=now + timedelta(days=30))
    restored = restore_benefit(
        benefit=draft, actor="operator:x", now=now + timedelta(days=29, hours=23)
    )
    restored.refresh_from_db()
    assert (restored.binned_at, restored.status) == (None, "draft")
    assert restored.texts.get().title == draft.texts.get().title
    assert list(restored.events.order_by("pk").values_list("cause", flat=True)) == ["bin", "unbin"]


def test_only_a_draft_goes_into_the_bin():
    live = make_benefit()
    with pytest.raises(errors.BinRefused):
        bin_benefit(benefit=live, actor="operator:x", now=database_now())
    assert live.events.count() == 0


@pytest.mark.parametrize(
    ("language", "chain"),
    [
        ("zh-hant-hk", ("zh-hant-hk", "zh-hant", "zh-hans", "en")),
        ("zh-Hant", ("zh-hant", "zh-hans", "en")),
        ("zh-hans", ("zh-hans", "zh-hant", "en")),
        ("fil", ("fil", "en")),
        ("en-gb", ("en-gb", "en")),
    ],
)
def test_languages_fall_back_one_after_the_other(language, chain):
    assert language_chain(language) == chain


def test_a_reader_in_hong_kong_sees_the_words_of_hong_kong(client, alice):
    benefit = make_benefit()
    make_release(benefit, codes=1)
    alice.wallet_id, alice.language = "ALIPAY_HK", "zh-hant"
    alice.save(update_fields=["wallet", "language"])
    sign_in(client, alice)

    def title():
        page = client.get(f"/benefits/{benefit.slug}", headers={"Accept-Language": "zh-Hant"})
        return page.context["card"].text.title

    words = [title()]
    for language in ("zh-hans", "zh-hant", "zh-hant-hk"):
        BenefitText.objects.create(benefit=benefit, language=language, title=language)
        words.append(title())
    assert words == [benefit.texts.get(language="en").title, "zh-hans", "zh-hant", "zh-hant-hk"]


def test_missing_words_are_listed(client):
    whole, bare = make_benefit(slug="whole"), make_benefit(slug="bare")
    make = BenefitText.objects.create
    make(benefit=whole, language="zh-hans", title="券", terms="每人一次。")
    make(benefit=bare, language="zh-hans", title="券")
    assert list_gaps(whole, ["zh-hans", "en"]) == {}
    assert list_gaps(bare, ["zh-hans", "fil"]) == {"zh-hans": ["terms"], "fil": ["title", "terms"]}
    assert list(with_gap_in(Benefit.objects.all(), "zh-hans")) == [bare]
    sign_in_operator(client, make_operator("viewer"))
    page = client.get(reverse("admin:benefits_benefit_changelist") + "?gap=zh-hans")
    assert [row.slug for row in page.context["cl"].result_list] == ["bare"]
    assert "zh-hans: terms" in page.content.decode()


def test_a_pin_moves_it_to_the_front_for_everybody(client, alice):
    for slug, weight in (("first", 10), ("second", 20), ("third", 30)):
        make_release(make_benefit(slug=slug, sort_weight=weight), codes=1)

    def order():
        return [card.benefit.slug for card in client.get("/benefits").context["cards"]]

    assert order() == ["first", "second", "third"]
    Benefit.objects.filter(slug="third").update(is_featured=True)
    assert order() == ["third", "first", "second"], "at once: nothing keeps an old order"
    sign_in(client, alice)
    assert order() == ["third", "first", "second"]


def test_partners_are_given_a_benefit_by_name(client):
    benefit = make_benefit(status="draft")
    partner = make_partner("acme")
    make_partner("other")
    sign_in_operator(client, make_operator("editor"))
    address = reverse("admin:benefits_benefit_change", args=[benefit.pk])
    form = client.get(address).context["adminform"].form
    fields = {f"{form.add_prefix(name)}": form[name].value() for name in form.fields}
    data = {
        name: value for name, value in fields.items() if value is not None and value is not False
    }
    moment = benefit.visible_from
    data |= {
        "visible_from_0": f"{moment:%Y-%m-%d}", "visible_from_1": f"{moment:%H:%M:%S}",
        "detail_amount_off": "7.00", "partners": [partner.pk],
        "storefronts": "", "wallets": "",
    }  # fmt: skip
    for formset in client.get(address).context["inline_admin_formsets"]:
        prefix = formset.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    saved = client.post(address, data)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    benefit.refresh_from_db()
    assert benefit.partner_ids == [partner.pk]
    assert benefit.detail == {"currency": "CNY", "amount_off": 700}
    again = client.get(address).context["adminform"].form
    assert list(again["partners"].initial) == [partner.pk]


def test_terms_stay_as_they_were_for_who_has_it(client, alice):
    benefit = make_benefit()
    made = claim(alice, make_release(benefit, codes=1))
    BenefitText.objects.filter(benefit=benefit).update(terms="Everything is different now.")
    sign_in(client, alice)
    page = client.get(f"/me/benefits/{made.public_id}").content.decode()
    assert "Once each." in page
    assert "As they stood on" in page
    assert "different now" not in page
    assert "different now" in client.get(f"/benefits/{benefit.slug}").content.decode()


def test_a_bundle_is_made_in_the_console(client):
    one, two = make_benefit(), make_benefit()
    sign_in_operator(client, make_operator("editor"))
    form = {
        "slug": "summer", "kind": "pick", "picks": 1, "is_active": "on", "currency": "",
        "title_en": "Summer", "text_en": "Choose.", "title_zh-hans": "夏天", "text_zh-hans": "",
        "items-TOTAL_FORMS": 2, "items-INITIAL_FORMS": 0,
        "items-0-benefit": one.pk, "items-0-position": 0, "items-0-least_spent": 0,
        "items-1-benefit": two.pk, "items-1-position": 1, "items-1-least_spent": 0,
    }  # fmt: skip
    add = reverse("admin:benefits_bundle_add")
    assert client.get(add).status_code == 200
    alone = {**form, "items-TOTAL_FORMS": 1}
    assert client.post(add, alone).status_code == 200
    assert Bundle.objects.count() == 0
    assert client.post(add, form).status_code == 302
    bundle = Bundle.objects.get()
    assert bundle.words == {
        "en": {"title": "Summer", "text": "Choose."}, "zh-hans": {"title": "夏天", "text": ""},
    }  # fmt: skip
    assert [item.benefit for item in bundle.items.all()] == [one, two]
    began = bundle.holds_since
    change = reverse("admin:benefits_bundle_change", args=[bundle.pk])
    items = {f"items-{n}-id": item.pk for n, item in enumerate(bundle.items.all())}
    again = {**form, **items, "items-INITIAL_FORMS": 2, "picks": 2}
    assert client.post(change, again).status_code == 302
    bundle.refresh_from_db()
    assert (bundle.picks, bundle.holds_since > began) == (2, True)
