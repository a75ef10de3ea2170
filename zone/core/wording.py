"""Words that operators write as data, one text per language: choosing, keeping and editing them.

What is kept is plain JSON, `{"en": "Gold", "zh-hans": "金星"}`. Where a row has a column of its own
for the English name, the JSON beside it holds the other languages only.
"""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _

_SISTERS = {"zh-hant": "zh-hans", "zh-hans": "zh-hant"}
ENGLISH = "en"


def language_chain(language: str) -> tuple[str, ...]:
    """Languages to try, best first: the one asked for, what it is a kind of, then English.

    zh-hant-hk falls back to zh-hant, as RFC 4647 section 3.4 looks tags up, then to the sister
    script, which a reader of the one reads better than English.
    """
    chain = []
    tag = language.lower()
    while tag:
        chain.append(tag)
        tag, _dash, _last = tag.rpartition("-")
        if tag == "zh":
            break
    if chain and chain[-1] in _SISTERS:
        chain.append(_SISTERS[chain[-1]])
    return tuple(dict.fromkeys([*chain, ENGLISH]))


def text_in(texts: Mapping[str, str], *, otherwise: str = "", language: str = "") -> str:
    """The text for the reader, in the nearest language there is; `otherwise` when there is none.

    With an `otherwise` it stands for English too, so another language is never chosen over it.
    """
    for wanted in language_chain(language or get_language() or ENGLISH):
        if said := texts.get(wanted):
            return said
        if wanted == ENGLISH and otherwise:
            return otherwise
    return next((said for said in texts.values() if said), "")


def _edited_languages(*, has_english: bool) -> list[tuple[str, str]]:
    """The site's languages as an operator fills them in, English first."""
    rows = sorted(settings.LANGUAGES, key=lambda row: row[0] != ENGLISH)
    return [(tag, str(name)) for tag, name in rows if has_english or tag != ENGLISH]


class TextsWidget(forms.MultiWidget):
    """One input for each language, named by it."""

    def __init__(self, tags: list[tuple[str, str]], rows: int) -> None:
        self.tags = tags
        parts: list[forms.Widget] = [
            forms.Textarea(attrs={"rows": rows, "class": "vLargeTextField"})
            if rows > 1
            else forms.TextInput(attrs={"class": "vTextField"})
            for _tag in tags
        ]
        super().__init__(widgets=parts)

    def decompress(self, value: Any) -> list[str]:
        texts = value if isinstance(value, dict) else {}
        return [str(texts.get(tag, "")) for tag, _name in self.tags]

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        values = value if isinstance(value, list) else self.decompress(value)
        own = self.build_attrs(self.attrs, attrs)
        key = own.pop("id", f"id_{name}")
        lines = []
        for place, ((tag, language), part) in enumerate(zip(self.tags, self.widgets, strict=True)):
            part_key = f"{key}_{place}"
            field = part.render(
                f"{name}_{place}", values[place], {**own, "id": part_key, "lang": tag}, renderer
            )
            lines.append((part_key, _(language), field))
        said = format_html_join("", '<p><label for="{}">{}</label>{}</p>', lines)
        return format_html('<div class="texts">{}</div>', said)


class TextsFormField(forms.MultiValueField):
    """A text for each language; the answer is what `TextsField` keeps."""

    def __init__(
        self, *, has_english: bool, text_length: int, rows: int, required: bool = True, **said: Any
    ) -> None:
        self.tags = _edited_languages(has_english=has_english)
        fields = [
            forms.CharField(max_length=text_length, required=required and tag == ENGLISH)
            for tag, _name in self.tags
        ]
        super().__init__(
            fields=fields,
            widget=TextsWidget(self.tags, rows),
            required=required,
            require_all_fields=False,
            **said,
        )

    def compress(self, data_list: list[str]) -> dict[str, str]:
        # Nothing at all was filled in: Django hands over an empty list.
        pairs = zip(self.tags, data_list, strict=bool(data_list))
        return {tag: said for (tag, _name), said in pairs if said}


class TextsField(models.JSONField):  # type: ignore[type-arg]
    """Texts by language. English is needed, unless a column beside it says it."""

    def __init__(
        self,
        *args: Any,
        has_english: bool = True,
        text_length: int = 80,
        rows: int = 1,
        **options: Any,
    ) -> None:
        self.has_english, self.text_length, self.rows = has_english, text_length, rows
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        """The database knows it as JSON: how it is edited is no matter of migrations."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.JSONField", args, options

    def formfield(self, **options: Any) -> Any:
        given = {
            name: value for name, value in options.items() if name not in ("form_class", "widget")
        }
        return models.Field.formfield(
            self,
            **{
                "form_class": TextsFormField,
                "has_english": self.has_english,
                "text_length": self.text_length,
                "rows": self.rows,
                # Django compares with it when a default is made by a function: this one is {}.
                "show_hidden_initial": False,
                **given,
            },
        )

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        """What the form has no input for stays as it was."""
        stored = getattr(instance, self.attname) or {}
        edited = {tag for tag, _name in _edited_languages(has_english=self.has_english)}
        kept = {tag: said for tag, said in stored.items() if tag not in edited}
        setattr(instance, self.attname, {**kept, **(data or {})})

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        super().validate(value, model_instance)
        if not isinstance(value, dict) or not all(isinstance(said, str) for said in value.values()):
            raise ValidationError(_("One text for each language is needed."))
        if self.has_english and not value.get(ENGLISH):
            raise ValidationError(_("English at least is needed."))
