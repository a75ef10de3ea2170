"""Bundles on the phone: what is said, what a press does, what a refusal leaves behind."""

from benefits.models import Bundle, BundleItem, Claim
from benefits.services.reveal import reveal_claim
from credits.queries import get_balance
from tests.benefits.factories import claim, give_credits, make_benefit, make_release
from tests.benefits.test_rules import buy
from zone.core.clock import database_now
from zone.core.ids import uuid7


def make_bundle(kind, releases, **fields):
    bundle = Bundle.objects.create(
        slug="summer",
        kind=kind,
        words={
            "en": {"title": "Summer", "text": "For long days."},
            "zh-hans": {"title": "夏天", "text": ""},
        },
        **fields,
    )
    for place, release in enumerate(releases):
        BundleItem.objects.create(
            bundle=bundle,
            benefit=release.benefit,
            position=place,
            least_spent=place * 5000 if kind == "ladder" else 0,
        )
    return bundle


def releases(number, **fields):
    return [make_release(make_benefit(**fields), codes=2) for _ in range(number)]


def change_form(made, release, **fields):
    return {
        "op_id": str(uuid7()), "claim": made.public_id, "release": release.public_id,
        "price": release.price_credits, **fields,
    }  # fmt: skip


def test_a_choice_is_explained_taken_and_changed(alices_phone, alice):
    three = releases(3)
    make_bundle("pick", three)
    page = alices_phone.get("/bundles/summer").content.decode()
    assert "You can have 1 of these 3." in page
    assert "Change to this" not in page
    assert "Summer" in alices_phone.get("/benefits").content.decode()
    assert (
        "/bundles/summer" in alices_phone.get(f"/benefits/{three[0].benefit.slug}").content.decode()
    )

    made = claim(alice, three[0])
    page = alices_phone.get("/bundles/summer").content.decode()
    assert page.count("Change to this") == 2
    title = three[0].benefit.texts.get().title
    assert f"You chose “{title}” instead of this one." in page

    answer = alices_phone.post("/bundles/summer/change", change_form(made, three[1]))
    second = Claim.objects.get(member=alice, holds_slot=True)
    assert (answer.status_code, answer["Location"]) == (302, f"/me/benefits/{second.public_id}")
    assert second.release == three[1]

    reveal_claim(claim=second, now=database_now(), actor="member:test")
    assert "Change to this" not in alices_phone.get("/bundles/summer").content.decode()
    refused = alices_phone.post("/bundles/summer/change", change_form(second, three[2]))
    assert refused.status_code == 409
    assert "This choice stands" in refused.content.decode()
    assert Claim.objects.get(member=alice, holds_slot=True) == second


def test_the_sheet_keeps_a_choice_covered_until_it_is_asked_for(alices_phone, alice):
    two = releases(2)
    make_bundle("pick", two)
    form = {"op_id": str(uuid7()), "release": two[0].public_id, "price": 0}
    address = f"/benefits/{two[0].benefit.slug}/claim"
    panel = alices_phone.post(address, form, headers={"HX-Request": "true"}).content.decode()
    made = Claim.objects.get(member=alice)
    assert (made.state, made.revealed_at) == ("granted", None)
    assert "Show the code" in panel


def test_the_same_press_twice_changes_once(alices_phone, alice):
    two = releases(2)
    make_bundle("pick", two)
    form = change_form(claim(alice, two[0]), two[1])
    answers = [alices_phone.post("/bundles/summer/change", form) for _ in range(2)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Claim.objects.filter(member=alice).count() == 2


def test_nobody_changes_what_is_not_theirs(alices_phone, alice, bob):
    two = releases(2)
    make_bundle("pick", two)
    theirs = claim(bob, two[0])
    form = change_form(theirs, two[1])
    assert alices_phone.post("/bundles/summer/change", form).status_code == 404
    mine = claim(alice, two[0])
    stranger = make_release(make_benefit(), codes=1)
    assert (
        alices_phone.post("/bundles/summer/change", change_form(mine, stranger)).status_code == 404
    )
    stale = alices_phone.post("/bundles/summer/change", change_form(mine, two[1], op_id="x"))
    assert stale.status_code == 409
    assert Claim.objects.filter(holds_slot=True).count() == 2


def test_all_of_it_with_one_press(alices_phone, alice):
    three = releases(3, price_credits=10)
    make_bundle("all", three)
    give_credits(alice, 29)
    page = alices_phone.get("/bundles/summer").content.decode()
    assert "You get all of these together, or none." in page
    # Each could be paid by itself; the sum is told when it is pressed.
    form = {"op_id": str(uuid7()), "price": 30}
    refused = alices_phone.post("/bundles/summer/claim", form)
    assert refused.status_code == 409
    assert "Nothing was changed" in refused.content.decode()
    assert (alice.claims.count(), get_balance(alice).available) == (0, 29)
    give_credits(alice, 1)
    assert "Redeem all for 30" in alices_phone.get("/bundles/summer").content.decode()
    for _ in range(2):
        done = alices_phone.post("/bundles/summer/claim", form)
        assert (done.status_code, done["Location"]) == (302, "/me/benefits")
    assert (alice.claims.count(), get_balance(alice).available) == (3, 0)


def test_a_ladder_says_what_opens_the_next_step(alices_phone, alice):
    three = releases(3)
    make_bundle("ladder", three, currency="CNY", spent_days=30)
    buy(alice, at=database_now(), amount=2000)
    page = alices_phone.get("/bundles/summer").content.decode()
    assert "Step 2" in page
    assert "¥30.00 more must be spent at Apple within 30 days." in page


def test_the_page_is_open_and_says_nothing_of_strangers(client, db):
    make_bundle("apart", releases(2))
    page = client.get("/bundles/summer").content.decode()
    assert "Of these you can have 1." in page
    assert client.get("/bundles/winter").status_code == 404
    Bundle.objects.update(is_active=False)
    assert client.get("/bundles/summer").status_code == 404


def test_what_holds_nothing_for_this_member_is_not_offered(alices_phone, alice):
    make_bundle("pick", releases(2, wallets=["ALIPAY_HK"]))
    assert "Summer" not in alices_phone.get("/benefits").content.decode()
    assert alices_phone.get("/bundles/summer").status_code == 404


def test_in_chinese(alices_phone, alice):
    make_bundle("pick", releases(2))
    alice.language = "zh-hans"
    alice.save(update_fields=["language"])
    page = alices_phone.get("/bundles/summer").content.decode()
    assert "<h1>夏天</h1>" in page
    assert "这 2 项中你可以选 1 项" in page
