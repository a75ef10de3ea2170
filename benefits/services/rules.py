"""Setting who may claim a benefit: each change is a version of its own."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from benefits.conditions.tree import read_tree
from benefits.models import Benefit, BenefitEvent, RuleVersion


def set_rule(*, benefit: Benefit, tree: Any, actor: str, now: datetime) -> RuleVersion:
    """A new version of the benefit's rule is in force from the commit on.

    Setting what is in force already makes no version. Two operators at one instant each make
    one, in turn.

    Raises ValidationError naming what cannot be read, and where in the tree.
    """
    read_tree(tree)
    with transaction.atomic():
        locked = Benefit.objects.select_for_update(no_key=True).get(pk=benefit.pk)
        current = locked.rule_versions.order_by("-version").first()
        if current is not None and current.tree == tree:
            return current
        newest = locked.rule_versions.aggregate(newest=Max("version"))["newest"] or 0
        made = RuleVersion.objects.create(
            benefit=locked, version=newest + 1, tree=tree, actor=actor, created_at=now
        )
        BenefitEvent.objects.create(
            benefit=locked,
            at=now,
            actor=actor,
            cause="rule",
            from_status=locked.status,
            to_status=locked.status,
            facts={"version": made.version},
        )
    return made
