"""Texts by language: the nearest one is read, and editing keeps what the form does not show."""

import pytest
from django.core.exceptions import ValidationError
from django.forms import modelform_factory

from credits.models import Mission
from zone.core.wording import TextsField, text_in
from zone.members.models import Wallet

GOLD = {"en": "Gold", "zh-hans": "金星", "fil": "Ginto"}


@pytest.mark.parametrize(
    ("language", "texts", "otherwise", "said"),
    [
        ("zh-hans", GOLD, "", "金星"),
        ("zh-hant-hk", GOLD, "", "金星"),
        ("fil", GOLD, "", "Ginto"),
        ("de", GOLD, "", "Gold"),
        ("de", {"fil": "Ginto"}, "", "Ginto"),
        # A column of its own says it in English: no third language is chosen over that.
        ("de", {"fil": "Ginto"}, "Gold", "Gold"),
        ("en", {"zh-hans": "金星"}, "Gold", "Gold"),
        ("zh-hans", {"zh-hans": ""}, "Gold", "Gold"),
        ("en", {}, "", ""),
    ],
)
def test_the_nearest_language_is_read(language, texts, otherwise, said):
    assert text_in(texts, otherwise=otherwise, language=language) == said


def form_of(model, field):
    return modelform_factory(model, fields=[field])


def test_each_language_has_an_input_and_english_is_needed(db):
    form = form_of(Mission, "names")
    shown = str(form()["names"])
    assert shown.count("<input") == 2
    assert '<label for="id_names_0">English' in shown

    empty = form({"names_0": "", "names_1": "本月三笔"})
    assert not empty.is_valid()
    assert "names" in empty.errors
    filled = form({"names_0": "Pay twice", "names_1": "两笔"}, instance=Mission(slug="m"))
    assert filled.is_valid(), filled.errors
    assert filled.save(commit=False).names == {"en": "Pay twice", "zh-hans": "两笔"}


def test_what_the_form_does_not_show_is_kept(db):
    mission = Mission(slug="m", names={"en": "Twice", "zh-hans": "两笔", "zh-hant": "兩筆"})
    form = form_of(Mission, "names")({"names_0": "Two", "names_1": ""}, instance=mission)
    assert form.is_valid(), form.errors
    assert form.save(commit=False).names == {"en": "Two", "zh-hant": "兩筆"}


def test_beside_a_name_of_its_own_only_other_languages_are_asked_for(db):
    form = form_of(Wallet, "names")
    shown = str(form(instance=Wallet(names={"zh-hans": "支付宝"}))["names"])
    assert shown.count("<input") == 1
    assert "支付宝" in shown
    unchanged = form({"names_0": "支付宝"}, instance=Wallet(names={"zh-hans": "支付宝"}))
    assert unchanged.changed_data == []
    emptied = form({"names_0": ""}, instance=Wallet(names={"zh-hans": "支付宝"}))
    assert emptied.is_valid(), emptied.errors
    assert emptied.save(commit=False).names == {}


@pytest.mark.parametrize("broken", [["Gold"], {"en": 5}, {"zh-hans": "金星"}, {"en": ""}])
def test_anything_but_texts_is_refused(broken):
    with pytest.raises(ValidationError):
        TextsField().validate(broken, None)


def test_the_first_wallets_are_known_by_their_chinese_names(db):
    names = {wallet.pk: wallet.names.get("zh-hans") for wallet in Wallet.objects.all()}
    assert names["ALIPAY_CN"] == "支付宝"
    assert names["GCASH"] is None
