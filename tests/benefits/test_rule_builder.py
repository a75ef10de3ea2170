"""Building a rule in the console: without a script, with one, and the same as in JSON."""

import json
import random

import pytest
from django.urls import reverse
from django.utils import translation

from benefits import rule_drafts
from benefits.conditions.snapshot import take_snapshots
from benefits.conditions.tree import judge, read_tree
from benefits.conditions.words import say_tree
from benefits.models import RuleVersion, Segment
from tests.benefits.factories import make_benefit
from tests.benefits.population import settle
from tests.benefits.test_conditions import EXAMPLES
from tests.factories import make_operator, sign_in_operator

pytestmark = pytest.mark.django_db
MEMBERS = 1000
RULES = 20
WHOLE = {
    "all": [
        {"is": "bound", "days": 30},
        {"any": [{"is": "tier", "least": "gold"}, {"is": "purchases", "count": 2, "days": 30}]},
        {"is": "spending", "amount": 4990, "currency": "CNY", "days": 90},
    ]
}


class Form:
    """The builder's page as somebody without a script uses it: what it shows is what is sent."""

    def __init__(self, client, benefit):
        self.client = client
        self.place = reverse("admin:benefits_benefit_rule", args=[benefit.pk])
        self.page = client.get(self.place)

    @property
    def fields(self):
        """Every field of the form as the page drew it."""
        sent = {}

        def gather(node):
            sent[f"{node.path}:is"] = ["all" if node.needs_all else "any"]
            if not node.is_group:
                sent[f"{node.path}:is"] = [node.kind]
            for field in node.fields:
                if field.options:
                    sent[field.name] = [value for value, _, chosen in field.options if chosen]
                else:
                    sent[field.name] = [field.value]
            for part in node.parts:
                gather(part)

        gather(self.page.context["root"])
        return sent

    def press(self, act, **more):
        self.page = self.client.post(self.place, {**self.fields, **more, "act": act})
        return self

    def fill(self, **values):
        """Values by path and name, `r_0__days` for the field `r.0:days`, and a press that only reads."""
        typed = {name.replace("__", ":").replace("_", "."): value for name, value in values.items()}
        return self.press("say", **typed)

    @property
    def html(self):
        return self.page.content.decode()


@pytest.fixture
def form(client):
    benefit = make_benefit(status="draft")
    sign_in_operator(client, make_operator("editor"))
    return Form(client, benefit)


def stored():
    return RuleVersion.objects.order_by("-version").first().tree


def test_a_nested_rule_is_built_without_a_script(form):
    assert "No condition: everybody may claim." in form.html
    form.press("add:r", **{"r:new": "bound"}).press("group:r")
    form.press("add:r.1", **{"r.1:new": "tier"}).press("add:r.1", **{"r.1:new": "purchases"})
    form.press("add:r", **{"r:new": "spending"})
    form.fill(
        r_0__days="30", r_1_0__least="gold", r_1_1__count="2", r_1_1__days="30",
        r_2__amount="49.90", r_2__currency="CNY", r_2__days="90",
    )  # fmt: skip
    assert "has reached Gold" in form.html
    assert "spent ¥49.90 or more at Apple in the last 90 days" in form.html
    assert RuleVersion.objects.count() == 0, "reading saves nothing"
    form.press("save")
    assert form.page.status_code == 302
    assert stored() == WHOLE


def test_conditions_are_moved_and_removed(form):
    for kind in ("adult", "bound", "wallet"):
        form.press("add:r", **{"r:new": kind})
    kinds = lambda: [part.kind or "group" for part in form.page.context["root"].parts]  # noqa: E731
    assert kinds() == ["adult", "bound", "wallet"]
    form.press("up:r.2")
    assert kinds() == ["adult", "wallet", "bound"]
    form.press("down:r.0")
    assert kinds() == ["wallet", "adult", "bound"]
    form.press("remove:r.0")
    assert kinds() == ["adult", "bound"]
    form.press("group:r").press("add:r.2", **{"r.2:new": "devices"}).press("out:r.2.0")
    assert kinds() == ["adult", "bound", "group", "devices"]
    for nonsense in ("up:r.9", "remove:r", "out:r", "add:x.1", "dance:r.0", "up:r.0.0.0", ""):
        form.press(nonsense)
        assert kinds() == ["adult", "bound", "group", "devices"]


def test_what_is_wrong_stands_beside_its_condition_and_nothing_is_saved(form):
    form.press("add:r", **{"r:new": "bound"}).press("group:r")
    form.press("save", **{"r.0:days": "soon"})
    bound, group = form.page.context["root"].parts
    assert bound.fault == "“days at least” must be a whole number from 0 to 3660."
    assert bound.fields[0].value == "soon", "what was typed is kept"
    assert group.fault == "This group is empty: add a condition, or remove it."
    assert RuleVersion.objects.count() == 0


def test_a_region_that_there_is_not_is_named_and_nothing_is_saved(form):
    form.press("add:r", **{"r:new": "storefront"})
    form.press("save", **{"r.0:of": "HKG, HK"})
    (leaf,) = form.page.context["root"].parts
    assert leaf.fault == "“HK” is no region: codes have three letters, such as HKG."
    assert RuleVersion.objects.count() == 0
    form.press("save", **{"r.0:of": "hkg, CHN"})
    assert stored()["all"][0]["of"] == ["HKG", "CHN"]


def test_groups_go_as_deep_as_a_rule_may(form):
    path = "r"
    for _ in range(3):
        form.press(f"group:{path}")
        path += ".0"
    form.press(f"group:{path}")
    assert "Groups cannot be nested deeper than this." in form.html
    form.press(f"add:{path}", **{f"{path}:new": "adult"}).press("save")
    assert stored() == {"all": [{"any": [{"all": [{"any": [{"is": "adult"}]}]}]}]}


def test_a_script_gets_the_fragment_and_the_words(form):
    form.press("add:r", **{"r:new": "adult"})
    headers = {"HX-Request": "true"}
    fragment = form.client.post(form.place, {**form.fields, "act": "group:r"}, headers=headers)
    assert "<html" not in fragment.content.decode()
    assert 'id="r-1-is"' in fragment.content.decode()
    said = form.client.post(form.place, {**form.fields, "act": "say"}, headers=headers)
    assert said.content.decode().count("<li>") == 1
    assert "is an adult" in said.content.decode()


def test_json_is_built_from_and_faults_in_it_are_named(form):
    form.press("json", json='{"is": "moon"}')
    assert "There is no condition “moon”." in form.html
    form.press("json", json="{")
    assert "That is no JSON." in form.html
    form.press("json", json=json.dumps(WHOLE)).press("save")
    assert stored() == WHOLE


def test_the_rule_in_force_is_shown_and_kept_as_it_is(client):
    benefit = make_benefit(status="draft")
    Segment.objects.create(code="vip", name="Friends")
    make_benefit(slug="first")
    sign_in_operator(client, make_operator("editor"))
    form = Form(client, benefit)
    form.press("json", json=json.dumps({"any": EXAMPLES})).press("save")
    assert stored() == {"any": EXAMPLES}
    Form(client, benefit).press("save")
    assert RuleVersion.objects.count() == 1, "the same rule makes no version"


def test_viewers_do_not_build(client):
    benefit = make_benefit()
    sign_in_operator(client, make_operator("viewer"))
    assert client.get(reverse("admin:benefits_benefit_rule", args=[benefit.pk])).status_code == 403


def test_a_rule_is_read_back_in_both_languages():
    names = lambda source, code: code  # noqa: E731
    with translation.override("zh-hans"):
        said = say_tree(WHOLE, names)
    assert said.sentence == "须同时满足："
    assert said.parts[1].sentence == "至少满足一项："
    assert said.parts[1].parts[0].sentence == "已达到gold"


def random_rule(dice, depth=0):
    if depth == 3 or (depth and dice.random() < 0.5):
        return dice.choice(EXAMPLES)
    parts = [random_rule(dice, depth + 1) for _ in range(dice.randint(1, 3))]
    return {dice.choice(["all", "any"]): parts}


def test_by_form_and_by_json_a_rule_means_the_same_for_a_thousand_members(client):
    """Twenty rules, each built in JSON and saved again through the form's own fields."""
    members = settle(MEMBERS, seed=7)
    sign_in_operator(client, make_operator("editor"))
    Segment.objects.get_or_create(code="vip", defaults={"name": "VIP"})
    answers = set()
    for seed in range(RULES):
        tree = random_rule(random.Random(seed))
        benefit = make_benefit(status="draft")
        Form(client, benefit).press("json", json=json.dumps(tree)).press("save")
        by_form = read_tree(benefit.rule_versions.get().tree)
        by_json = read_tree(tree)
        assert rule_drafts.to_tree(rule_drafts.from_tree(tree)) == tree
        snapshots = take_snapshots(members, sources=by_json.sources, now=members[0].settled_at)
        for member in members:
            snapshot = snapshots[member.pk]
            verdict = judge(by_json, snapshot)
            assert judge(by_form, snapshot) == verdict
            answers.add((seed, verdict.is_met))
    assert len(answers) > RULES, "rules that let in some and keep out others"
