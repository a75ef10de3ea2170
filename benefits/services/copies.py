"""One benefit made from another: for another country, for another season, out of the sandbox."""

import re
from datetime import datetime
from typing import Any

from django.db import models, transaction

from benefits.errors import CopyRefused
from benefits.models import Benefit, BenefitEvent, BenefitText, OpeningHours, PriceRow, Quota
from benefits.services.openings import plan_hours
from benefits.services.rules import set_rule

# What no copy shares with its original, whatever else is asked for.
_OWN = {"id", "public_id", "slug", "status", "created_at", "updated_at", "binned_at"}
# What may be asked to differ.
CHANGEABLE = (
    "livemode",
    "wallets",
    "storefronts",
    "price_credits",
    "visible_from",
    "visible_until",
    "claimable_from",
    "claimable_until",
    "usable_from",
    "usable_until",
)
_VARIABLE = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")


def list_variables(benefit: Benefit) -> list[str]:
    """The names written as {{name}} in a benefit's words: what a copy is asked to fill in."""
    found: set[str] = set()
    for text in benefit.texts.all():
        for value in _words_of(text).values():
            found |= set(_VARIABLE.findall(str(value)))
    return sorted(found)


def clone_benefit(
    *,
    benefit: Benefit,
    slug: str,
    actor: str,
    now: datetime,
    changes: dict[str, Any] | None = None,
    variables: dict[str, str] | None = None,
) -> Benefit:
    """A draft like `benefit` in everything but its address, its history and `changes`.

    Words, limits, price rows, opening hours and the rule in force come along; releases, codes,
    claims, terms and events stay, for they are what happened. `variables` fill the {{names}} in
    the words. Out of its own mode a copy has no budget: money of the one pays nothing in the other.

    Raises CopyRefused for an address that is taken, a field that no copy may change, and a
    variable that nothing fills.
    """
    changes, variables = changes or {}, variables or {}
    if unknown := set(changes) - set(CHANGEABLE):
        raise CopyRefused(why=", ".join(sorted(unknown)))
    if empty := [name for name in list_variables(benefit) if name not in variables]:
        raise CopyRefused(why=", ".join("{{" + name + "}}" for name in empty))
    if Benefit.objects.filter(slug=slug).exists():
        raise CopyRefused(why=slug)
    values = _values(benefit, but=_OWN) | changes
    if values["livemode"] != benefit.livemode:
        values["budget_id"] = None
    with transaction.atomic():
        copy = Benefit.objects.create(slug=slug, **values)
        _copy_parts(benefit, copy, variables=variables, actor=actor, now=now)
        BenefitEvent.objects.create(
            benefit=copy,
            at=now,
            actor=actor,
            cause="copy",
            to_status=copy.status,
            facts={"of": benefit.public_id, "differs": sorted(changes)},
        )
    return copy


def _values(row: models.Model, *, but: set[str]) -> dict[str, Any]:
    """The row's columns by name, without its key and `but` those."""
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key and field.name not in but
    }


def _words_of(text: BenefitText) -> dict[str, Any]:
    return _values(text, but={"benefit", "language"})


def _copy_parts(
    benefit: Benefit, copy: Benefit, *, variables: dict[str, str], actor: str, now: datetime
) -> None:
    for text in benefit.texts.all():
        BenefitText.objects.create(
            benefit=copy, language=text.language, **_filled(_words_of(text), variables)
        )
    kinds: tuple[tuple[Any, Any], ...] = (
        (Quota, benefit.quotas.filter(release=None)),
        (PriceRow, benefit.price_rows.all()),
        (OpeningHours, benefit.hours.all()),
    )
    for model, rows in kinds:
        for row in rows:
            made = model.objects.create(
                benefit=copy, **_values(row, but={"benefit", "planned_until"})
            )
            if isinstance(made, OpeningHours):
                plan_hours(made, now=now)
    rule = benefit.rule_versions.order_by("-version").first()
    if rule is not None and rule.tree:
        set_rule(benefit=copy, tree=rule.tree, actor=actor, now=now)


def _filled(value: Any, variables: dict[str, str]) -> Any:
    """The same value with each {{name}} in its text replaced, however deep it lies."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: variables[found.group(1)], value)
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, variables) for name, each in value.items()}
    return value
