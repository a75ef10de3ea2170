from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.admin.verbs import Verb, VerbsAdmin, actor_of
from benefits.models import CodeBatch
from benefits.services import code_keys
from benefits.services.code_reserve import put_back, set_aside
from zone.core.clock import database_now
from zone.core.readonly import ReadOnly


class ShredForm(forms.Form):
    """An act that nobody can undo is confirmed by writing down what it is done to."""

    public_id = forms.CharField(label=gettext_lazy("Number of the batch, to confirm"))


def new_key(request: HttpRequest, batch: CodeBatch, values: dict[str, Any]) -> str:
    if code_keys.start_rotation(batch=batch, actor=actor_of(request), now=database_now()):
        return _("The codes are being sealed with a new key.")
    return _("A new key is on its way already, or the batch has none.")


class WhyForm(forms.Form):
    why = forms.CharField(max_length=100, label=gettext_lazy("Why"))


def aside(request: HttpRequest, batch: CodeBatch, values: dict[str, Any]) -> str:
    count = set_aside(batch=batch, actor=actor_of(request), now=database_now(), why=values["why"])
    return _("Taken off sale: %(count)s codes.") % {"count": count}


def back(request: HttpRequest, batch: CodeBatch, values: dict[str, Any]) -> str:
    count = put_back(batch=batch, actor=actor_of(request), now=database_now())
    return _("On sale again: %(count)s codes.") % {"count": count}


def shred(request: HttpRequest, batch: CodeBatch, values: dict[str, Any]) -> str:
    if values["public_id"].strip() != batch.public_id:
        return _("Nothing was done: that is another number.")
    code_keys.shred_batch(batch=batch, actor=actor_of(request), now=database_now())
    return _("No code of this batch can be read any more.")


@admin.register(CodeBatch)
class CodeBatchAdmin(ReadOnly, VerbsAdmin):
    """What was loaded and what became of it. Codes themselves are listed nowhere."""

    list_display = ("public_id", "release", "source", "file_name", "expires_on", "set_aside_at")
    list_filter = ("source", "kept_for", ("set_aside_at", admin.EmptyFieldListFilter))
    list_select_related = ("release",)
    search_fields = ("public_id", "file_name", "release__public_id")
    fields = (
        "public_id", "release", "source", "file_name", "kept_for", "expires_on", "life_days_min",
        "set_aside_at", "report",
        "actor", "created_at", "finished_at", "key", "shredded_at",
    )  # fmt: skip
    readonly_fields = fields
    verbs = (
        Verb(
            "new-key",
            gettext_lazy("Seal with a new key"),
            "benefits.add_codebatch",
            forms.Form,
            new_key,
        ),
        Verb("aside", gettext_lazy("Set aside"), "benefits.change_release", WhyForm, aside),
        Verb(
            "back", gettext_lazy("Put back on sale"), "benefits.approve_benefit", forms.Form, back
        ),
        Verb(
            "shred", gettext_lazy("Make unreadable"), "benefits.approve_benefit", ShredForm, shred
        ),
    )

    @admin.display(description=gettext_lazy("key"))
    def key(self, batch: CodeBatch) -> str:
        """Which key, and how many codes the one before it still opens."""
        if not batch.key_sealed:
            return _("destroyed")
        if not batch.old_key_sealed:
            return f"{batch.key_number}"
        return _("%(number)s, %(count)s codes still under the one before") % {
            "number": batch.key_number,
            "count": code_keys.count_waiting(batch),
        }
