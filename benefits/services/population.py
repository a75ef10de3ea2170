"""Trying a rule out on members before anybody signs it: sampled, repeatable, in the background."""

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet

from benefits.conditions.snapshot import take_snapshots
from benefits.conditions.tree import Group, leaf_nodes, read_tree
from benefits.models import Benefit, Claim, PopulationRun, Segment
from benefits.population_math import Estimate, Supply, as_json, estimate, outlook
from benefits.queries import count_left, current_tree, field_nodes, whole_rule
from zone.core.clock import database_now
from zone.core.failpoints import failpoint
from zone.core.nudge import nudge
from zone.core.stuck import Attempts
from zone.members.models import Member

SAMPLE_MEMBERS = 5_000
QUICK_MEMBERS = 10_000  # A share of them is within one in a hundred of everybody's.
NAMED_MAX = 8
BATCH_MEMBERS = 250
# Numbers of members that left make gaps; past so many tries for each one wanted, fewer will do.
TRIES_PER_MEMBER = 4
RATE_DAYS = 30
DRAIN_SECONDS_MAX = 60
OUTCOMES = ("gain", "lose", "both", "neither")
# By whether the rule in force holds, and whether the one on trial does.
_OUTCOME = {
    (False, True): "gain", (True, False): "lose", (True, True): "both", (False, False): "neither",
}  # fmt: skip
State = PopulationRun.State
log = logging.getLogger(__name__)


def start_run(
    *,
    tree: Any,
    actor: str,
    now: datetime,
    benefit: Benefit | None = None,
    segment: Segment | None = None,
    sample_size: int = SAMPLE_MEMBERS,
    seed: str = "",
) -> PopulationRun:
    """A trial of `tree` beside the rule in force begins; a worker does it.

    The seed is the rule's own unless given, so that asking again looks at the same members.
    Raises ValidationError naming what cannot be read.
    """
    read_tree(tree)
    bounds = Member.objects.aggregate(first=Min("pk"), last=Max("pk"))
    run = PopulationRun.objects.create(
        benefit=benefit,
        segment=segment,
        livemode=benefit.livemode if benefit else None,
        tree=tree,
        live_tree=current_tree(benefit) if benefit else (segment.tree if segment else {}),
        as_of=now,
        sample_size=sample_size,
        seed=seed or (benefit.public_id if benefit else "members"),
        first_member=bounds["first"] or 0,
        last_member=bounds["last"] or 0,
        actor=actor,
        created_at=now,
    )
    nudge("benefits.tasks.drain_population")
    return run


def drain_population() -> int:
    """Go on with trials under way, a batch of each in turn; how many members were looked at."""
    started, done = database_now(), 0
    while (database_now() - started).total_seconds() < DRAIN_SECONDS_MAX:
        attempts, looked_at = Attempts("rule_trials"), 0
        running = PopulationRun.objects.filter(state=State.RUNNING)
        for run in running.exclude(pk__in=attempts.left_out):
            with attempts.at(run.pk):
                looked_at += advance_run(run)
        done += looked_at
        if not looked_at:
            break
    return done


def advance_run(run: PopulationRun) -> int:
    """The next batch of a trial; how many members it looked at. Zero when another worker has it."""
    with transaction.atomic():
        locked = (
            PopulationRun.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("benefit")
            .filter(pk=run.pk, state=State.RUNNING)
            .first()
        )
        if locked is None:
            return 0
        try:
            looked_at = _look(locked)
        except ValidationError as fault:
            # The rule was sound when the trial began; what it names is gone, or the kinds changed.
            locked.state, locked.finished_at = State.FAILED, database_now()
            locked.fault = " ".join(fault.messages)[:200]
            locked.save(update_fields=["state", "finished_at", "fault"])
            return 0
        failpoint("population_before_commit")
    return looked_at


def _look(run: PopulationRun) -> int:
    members, is_over = _next_members(run)
    wanted, live = _rules_of(run)
    sums = run.sums or _no_sums(len(list(wanted.leaves())), len(list(live.leaves())))
    _add_batch(run, members, wanted, live, sums)
    run.sums = sums
    if is_over or (run.sample_size and sums["examined"] >= run.sample_size):
        run.report = make_report(run)
        run.state, run.finished_at = State.DONE, database_now()
    run.save(update_fields=["position", "sums", "report", "state", "finished_at"])
    # A batch may hit nobody but gaps; it counts as work so that the drain goes on.
    return len(members) or int(run.state == State.RUNNING)


def _rules_of(run: PopulationRun) -> tuple[Group, Group]:
    if run.benefit is None:
        return read_tree(run.tree), read_tree(run.live_tree)
    return whole_rule(run.benefit, run.tree), whole_rule(run.benefit, run.live_tree)


@dataclass(frozen=True, slots=True)
class QuickCount:
    """Who fits a rule, by a sample looked at on the spot, with a few of them by name."""

    estimate: Estimate
    examined: int
    population: int
    some: list[str]

    @property
    def is_exact(self) -> bool:
        return self.examined >= self.population


def count_quickly(
    *,
    tree: Any,
    benefit: Benefit | None,
    now: datetime,
    named: QuerySet[Member] | None = None,
) -> QuickCount:
    """Whom `tree` lets in, of a sample that is the same for every rule. Nothing is stored.

    Everybody is counted; with `named`, those called by name are of these members.

    Raises ValidationError naming what cannot be read.
    """
    read_tree(tree)
    bounds = Member.objects.aggregate(first=Min("pk"), last=Max("pk"))
    run = PopulationRun(
        benefit=benefit,
        livemode=benefit.livemode if benefit else None,
        tree=tree,
        sample_size=QUICK_MEMBERS,
        seed="members",
        first_member=bounds["first"] or 0,
        last_member=bounds["last"] or 0,
        as_of=now,
        sums={"examined": 0},
    )
    rule, _live = _rules_of(run)
    fitting: list[Member] = []
    is_over = False
    while not is_over and run.sums["examined"] < run.sample_size:
        members, is_over = _next_members(run)
        snapshots = take_snapshots(members, sources=rule.sources, now=now)
        run.sums["examined"] += len(members)
        for member in members:
            if rule.holds(snapshots[member.pk]):
                fitting.append(member)
    examined, population = run.sums["examined"], population_of(run).count()
    counted = estimate(len(fitting), examined, population)
    return QuickCount(counted, examined, population, _some_of(fitting, named))


def _some_of(fitting: list[Member], named: QuerySet[Member] | None) -> list[str]:
    if named is not None:
        known = set(named.filter(pk__in=[each.pk for each in fitting]).values_list("pk", flat=True))
        fitting = [each for each in fitting if each.pk in known]
    return [each.public_id for each in fitting[:NAMED_MAX]]


def population_of(run: PopulationRun) -> QuerySet[Member]:
    """Everybody the trial speaks about: active members that were there when it began."""
    everybody = Member.objects.filter(
        status=Member.Status.ACTIVE, pk__gte=run.first_member, pk__lte=run.last_member
    )
    if run.livemode is not None:
        everybody = everybody.filter(wallet__livemode=run.livemode)
    return everybody


def _next_members(run: PopulationRun) -> tuple[list[Member], bool]:
    """The next batch, and whether it is the last; moves the position past it."""
    everybody = population_of(run).select_related("wallet")
    span = run.last_member - run.first_member + 1
    if not run.sample_size or span <= run.sample_size:
        start = max(run.position, run.first_member - 1)
        members = list(everybody.filter(pk__gt=start).order_by("pk")[:BATCH_MEMBERS])
        if members:
            run.position = members[-1].pk
        return members, len(members) < BATCH_MEMBERS
    tries = min(span, run.sample_size * TRIES_PER_MEMBER)
    dice = random.Random(run.seed)  # noqa: S311  A sample that can be drawn again, not a secret.
    drawn = dice.sample(range(run.first_member, run.last_member + 1), tries)
    keys = drawn[run.position : run.position + BATCH_MEMBERS]
    found = everybody.in_bulk(keys)
    run.position += len(keys)
    missing = run.sample_size - (run.sums or {"examined": 0})["examined"]
    return [found[key] for key in keys if key in found][:missing], run.position >= tries


def _no_sums(wanted: int, live: int) -> dict[str, Any]:
    return {
        "examined": 0,
        "claims": 0,
        **dict.fromkeys(OUTCOMES, 0),
        # Of each condition: who meets it, and for how many of the losers (gainers) it is unmet.
        "wanted_met": [0] * wanted,
        "wanted_lost": [0] * wanted,
        "live_met": [0] * live,
        "live_gained": [0] * live,
    }


def _add_batch(
    run: PopulationRun, members: list[Member], wanted: Group, live: Group, sums: dict[str, Any]
) -> None:
    snapshots = take_snapshots(members, sources=wanted.sources | live.sources, now=run.as_of)
    claims = _recent_claims(run, members)
    for member in members:
        snapshot = snapshots[member.pk]
        is_met, was_met = wanted.holds(snapshot), live.holds(snapshot)
        outcome = _OUTCOME[was_met, is_met]
        sums["examined"] += 1
        sums[outcome] += 1
        for name, other, rule, is_decided in (
            ("wanted_met", "wanted_lost", wanted, outcome == "lose"),
            ("live_met", "live_gained", live, outcome == "gain"),
        ):
            for place, leaf in enumerate(rule.leaves()):
                holds = leaf.holds(snapshot)
                sums[name][place] += holds
                sums[other][place] += is_decided and not holds
        if was_met:
            sums["claims"] += claims.get(member.pk, 0)


def _recent_claims(run: PopulationRun, members: list[Member]) -> dict[int, int]:
    if run.benefit is None:
        return {}
    rows = Claim.objects.filter(
        benefit=run.benefit,
        member__in=members,
        created_at__gt=run.as_of - timedelta(days=RATE_DAYS),
        created_at__lte=run.as_of,
    )
    counts = rows.order_by().values_list("member_id").annotate(Count("pk"))
    return dict(counts)


def make_report(run: PopulationRun) -> dict[str, Any]:
    """What the sums say about everybody; every figure of the page and of the request."""
    sums, population = run.sums, population_of(run).count()
    examined = sums["examined"]
    figures = {name: estimate(sums[name], examined, population) for name in OUTCOMES}
    eligible = estimate(sums["gain"] + sums["both"], examined, population)
    report: dict[str, Any] = {
        "population": population,
        "examined": examined,
        "is_exact": examined >= population,
        "eligible": as_json(eligible),
        **{name: as_json(figure) for name, figure in figures.items()},
        "wanted": _condition_rows(run, run.tree, sums["wanted_met"], sums["wanted_lost"]),
        "live": _condition_rows(run, run.live_tree, sums["live_met"], sums["live_gained"]),
    }
    if run.benefit is not None:
        report |= _outlook(run.benefit, sums, eligible)
    return report


def _condition_rows(
    run: PopulationRun, tree: Any, met: list[int], decided: list[int]
) -> list[dict[str, Any]]:
    nodes = [*(field_nodes(run.benefit) if run.benefit else ()), *leaf_nodes(tree)]
    return [
        {"node": node, "met": met[place], "decided": decided[place]}
        for place, node in enumerate(nodes)
    ]


def _outlook(benefit: Benefit, sums: dict[str, Any], eligible: Estimate) -> dict[str, Any]:
    now = database_now()
    releases = list(benefit.releases.filter(Q(closes_at__isnull=True) | Q(closes_at__gt=now)))
    left = count_left([release.pk for release in releases], now=now)
    budget = benefit.budget
    supply = Supply(
        units_left=sum(left.values()) if releases else None,
        per_member=max([release.per_member for release in releases] or [benefit.per_member]),
        unit_cost=benefit.unit_cost,
        currency=benefit.unit_cost_currency,
        budget_left=budget.amount - budget.spent if budget else None,
    )
    seen = outlook(
        eligible=eligible,
        claims_seen=sums["claims"],
        eligible_before=sums["lose"] + sums["both"],
        supply=supply,
        days=RATE_DAYS,
    )
    return {"outlook": as_json(seen), "supply": as_json(supply), "rate_days": RATE_DAYS}
