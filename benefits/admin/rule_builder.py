"""Building a rule in a form: groups and conditions that are added, moved and filled in.

Every button is a submit: the server answers with the form as it is then, so the page needs no
script. Where there is one, htmx exchanges the same fragment in place.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from benefits import rule_drafts
from benefits.conditions.kinds import KINDS, Input
from benefits.conditions.tree import read_tree
from benefits.conditions.words import say_tree
from benefits.models import Benefit
from benefits.queries.names import Choice, NameBook
from benefits.rule_drafts import ROOT, DraftGroup, DraftLeaf
from benefits.services.population import QuickCount, count_quickly
from zone.core.clock import database_now
from zone.core.errors import ZoneError
from zone.core.http import wants_partial
from zone.members.models import Member

_PAGE = "admin/benefits/rule/page.html"
_BUILDER = "admin/benefits/rule/_builder.html"
_READING = "admin/benefits/rule/_reading.html"


@dataclass(frozen=True, slots=True)
class RuleDoor:
    """Where the built rule comes from and goes to. `save` answers what it did, in a sentence."""

    title: Callable[[Any], str]
    current: Callable[[Any], Any]
    save: Callable[[HttpRequest, Any, dict[str, Any]], str]
    save_label: Callable[[Any], str]
    note: Callable[[Any], str] = lambda row: ""
    # Whose fields count beside the rule when members are counted; None: the rule alone.
    benefit: Callable[[Any], Benefit | None] = lambda row: None
    # Where a trial of everybody starts; without one, counting is on a sample alone.
    count_all: Callable[[HttpRequest, Any, dict[str, Any]], str] | None = None


@dataclass(frozen=True, slots=True)
class FieldView:
    """One value of a condition as the template draws it: checks, select, number or text."""

    name: str
    id: str
    label: str
    widget: str
    value: str
    options: list[tuple[str, str, bool]]
    least: int
    most: int
    is_required: bool


@dataclass(frozen=True, slots=True)
class NodeView:
    """One group or condition as the template draws it."""

    path: str
    is_group: bool
    needs_all: bool
    label: str
    help: str
    kind: str
    fault: str
    fields: "list[FieldView]"
    parts: "list[NodeView]"
    is_root: bool
    is_first: bool
    is_last: bool
    may_leave: bool  # Its group is inside another one.

    @property
    def id(self) -> str:
        return self.path.replace(".", "-")


@dataclass
class Round:
    """One press of a button: the draft as it is after it, and what there is to say about it."""

    root: DraftGroup
    fault: str = ""
    json_text: str = ""
    done: str = ""
    counted: QuickCount | None = None


def rule_page(model_admin: Any, request: HttpRequest, row: Any, door: RuleDoor) -> HttpResponse:
    """GET: the rule in force. POST: what the pressed button asks for, saving among it."""
    book = NameBook()
    if request.method != "POST":
        at = Round(rule_drafts.from_tree(door.current(row)))
    else:
        at = Round(rule_drafts.read_post(request.POST))
        if request.POST.get("act") == "say" and wants_partial(request):
            said = say_tree(rule_drafts.say_so_far(at.root), book)
            return TemplateResponse(request, _READING, {"said": said})
        _press(request, row, at, door)
    if at.done:
        messages.success(request, at.done)
        change = f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_change"
        return HttpResponseRedirect(reverse(change, args=[row.pk]))
    tree = rule_drafts.say_so_far(at.root)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": row,
        "title": door.title(row),
        "note": door.note(row),
        "save_label": door.save_label(row),
        "may_count_all": door.count_all is not None,
        "root": _view(at.root, ROOT, book),
        "kinds": list(KINDS.values()),
        "said": say_tree(tree, book),
        "json": at.json_text or json.dumps(tree, ensure_ascii=False, indent=2),
        "is_json_open": bool(at.json_text),
        "fault": at.fault,
        "counted": at.counted,
    }
    return TemplateResponse(request, _BUILDER if wants_partial(request) else _PAGE, context)


def _press(request: HttpRequest, row: Any, at: Round, door: RuleDoor) -> None:
    """Do what the button asks; a refusal becomes a sentence above the form."""
    asked = request.POST.get("act", "")
    if asked == "json":
        at.json_text = request.POST.get("json", "")
        at.root, at.fault = _from_json(at.json_text, at.root)
    elif asked not in ("save", "count", "count-all"):
        rule_drafts.act(at.root, request.POST)
    elif (tree := rule_drafts.to_tree(at.root)) is not None:
        try:
            if asked == "count":
                now = database_now()
                seen = admin.site.get_model_admin(Member).get_queryset(request)
                at.counted = count_quickly(
                    tree=tree, benefit=door.benefit(row), now=now, named=seen
                )
            elif asked == "count-all" and door.count_all is not None:
                at.done = door.count_all(request, row, tree)
            else:
                at.done = door.save(request, row, tree)
        except ZoneError as refusal:
            at.fault = str(refusal)
        except ValidationError as error:
            at.fault = " ".join(error.messages)


def _from_json(text: str, before: DraftGroup) -> tuple[DraftGroup, str]:
    """The draft that a JSON text describes, or the one before with what is wrong with the text."""
    try:
        tree = json.loads(text or "{}")
    except ValueError:
        return before, _("That is no JSON.")
    try:
        read_tree(tree)
    except ValidationError as error:
        return before, " ".join(error.messages)
    return rule_drafts.from_tree(tree), ""


def _view(
    node: DraftGroup | DraftLeaf, path: str, book: NameBook, *, index: int = 0, count: int = 1
) -> NodeView:
    is_group = isinstance(node, DraftGroup)
    kind = None if isinstance(node, DraftGroup) else KINDS[node.kind]
    return NodeView(
        path=path,
        is_group=is_group,
        needs_all=node.needs_all if isinstance(node, DraftGroup) else False,
        label=str(kind.label) if kind else "",
        help=str(kind.help) if kind else "",
        kind=kind.name if kind else "",
        fault=node.fault,
        fields=[]
        if isinstance(node, DraftGroup) or kind is None
        else [_field(each, node, path, book) for each in kind.inputs],
        parts=[
            _view(part, f"{path}.{place}", book, index=place, count=len(node.parts))
            for place, part in enumerate(node.parts)
        ]
        if isinstance(node, DraftGroup)
        else [],
        is_root=path == ROOT,
        is_first=index == 0,
        is_last=index == count - 1,
        may_leave=path.count(".") > 1,
    )


def _field(each: Input, node: DraftLeaf, path: str, book: NameBook) -> FieldView:
    typed = [text for text in node.values.get(each.name, []) if text]
    choices = book.choices(each.choices) if each.choices else []
    if choices:
        options = _options(choices, typed)
        widget = "checks" if each.kind == "words" else "select"
    else:
        options = []
        widget = "number" if each.kind == "number" else "text"
    return FieldView(
        name=f"{path}:{each.name}",
        id=f"{path.replace('.', '-')}-{each.name}",
        label=str(each.label),
        widget=widget,
        value=", ".join(typed),
        options=options,
        least=each.least,
        most=each.most,
        is_required=each.is_required,
    )


def _options(choices: list[Choice], typed: list[str]) -> list[tuple[str, str, bool]]:
    """What may be chosen, and whatever was chosen before though it is not on the list."""
    known = {code for code, _name in choices}
    listed = [(code, name, code in typed) for code, name in choices]
    return listed + [(code, code, True) for code in typed if code not in known]
