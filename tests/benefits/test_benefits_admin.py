"""Benefit, release, codes in the console: buttons call the services, and rights are kept."""

import io
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from benefits.admin.points import PointsField
from benefits.models import (
    Benefit,
    BenefitEvent,
    BenefitText,
    Bundle,
    Claim,
    CodeBatch,
    CodeImport,
    MemberTag,
)
from benefits.models.kinds import KINDS
from benefits.services import code_imports
from benefits.services.draws import announce_draw
from tests.benefits.factories import claim, make_benefit, make_provider, make_release, soon
from tests.factories import make_operator, sign_in, sign_in_operator
from zone.core.clock import database_now

pytestmark = pytest.mark.django_db
ROW = "https://apps.apple.com/redeem?ctx=offercodes&id=1&code="


def enter(client, role):
    sign_in_operator(client, make_operator(role))
    return client


def act(client, name, *benefits):
    return client.post(
        "/console/benefits/benefit/",
        {"action": name, "_selected_action": [benefit.pk for benefit in benefits]},
        follow=True,
    )


def said(page):
    return [str(message) for message in page.context["messages"]]


def test_a_benefit_goes_from_draft_to_members_through_two_hands(client):
    benefit = make_benefit(status="draft")
    make_release(benefit, stock=1)
    enter(client, "editor")
    assert said(act(client, "submit", benefit)) == ["Moved: 1."]
    act(client, "approve", benefit)
    benefit.refresh_from_db()
    assert benefit.status == "in_review", "an editor does not approve"
    enter(client, "approver")
    assert said(act(client, "approve", benefit)) == ["Moved: 1."]
    benefit.refresh_from_db()
    assert benefit.status == "scheduled"
    moves = BenefitEvent.objects.filter(benefit=benefit, cause="move").order_by("id")
    assert [(e.from_status, e.to_status) for e in moves] == [
        ("draft", "in_review"),
        ("in_review", "scheduled"),
    ]
    assert all(e.actor.startswith("operator:") for e in moves)


def test_an_illegal_move_names_the_row_and_the_moves_there_are(client):
    benefit = make_benefit(status="ended")
    enter(client, "approver")
    assert said(act(client, "open_now", benefit)) == [
        f"{benefit.slug}: From “ended” it cannot go to “live”. Possible: –."
    ]
    assert Benefit.objects.get(pk=benefit.pk).status == "ended"


def test_what_is_unfinished_is_not_sent_to_review(client):
    benefit = make_benefit(status="draft", detail={})
    BenefitText.objects.filter(benefit=benefit).update(terms="")
    page = act(enter(client, "editor"), "submit", benefit)
    assert "currency is missing" in said(page)[0]
    assert "terms in English" in said(page)[0]


def test_codes_are_loaded_through_the_page_and_never_shown(client, alice):
    release = make_release(make_benefit(), mode="codes")
    enter(client, "editor")
    url = f"/console/benefits/release/{release.pk}/codes/"
    assert client.get(url).status_code == 200
    file = SimpleUploadedFile(
        "new.csv", f"code,redemption_url\nADMINCODE7Q2K,{ROW}ADMINCODE7Q2K\nno,{ROW}no\n".encode()
    )
    page = client.post(url, {"file": file, "life_days": 7}, follow=True)
    row = CodeImport.objects.get()
    assert said(page) == [f"The file is being taken: {row.public_id}."]
    assert b"ADMINCODE7Q2K" not in bytes(row.parts.get().sealed)
    while code_imports.drain_imports():
        pass
    row.refresh_from_db()
    assert (row.state, row.percent, row.row_count, row.accepted_count) == ("done", 100, 2, 1)
    report = client.get(f"/console/benefits/codeimport/{row.pk}/report.csv")
    assert b"".join(report.streaming_content) == b"line,fault\r\n3,bad_format\r\n"
    release.refresh_from_db()
    assert release.stock == 1
    made = claim(alice, release)
    batch = CodeBatch.objects.get(release=release)
    enter(client, "auditor")
    for address in (
        f"/console/benefits/claim/{made.pk}/change/",
        f"/console/benefits/codebatch/{batch.pk}/change/",
        f"/console/benefits/release/{release.pk}/change/",
        "/console/benefits/claim/",
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        assert b"ADMINCODE7Q2K" not in answer.content
    assert b"7Q2K" in client.get(f"/console/benefits/claim/{made.pk}/change/").content


def test_of_two_operators_raising_the_stock_one_is_told(client):
    release = make_release(make_benefit(), stock=10)
    enter(client, "editor")
    url = f"/console/benefits/release/{release.pk}/stock/"
    assert said(client.post(url, {"current": 10, "target": 15}, follow=True)) == [
        "The stock is 15 now."
    ]
    page = client.post(url, {"current": 10, "target": 20})
    assert page.status_code == 409
    assert b"it is 15 now" in page.content
    release.refresh_from_db()
    assert (release.stock, release.last_slot) == (15, 15)


def test_the_stock_does_not_go_below_what_is_taken(client, alice, bob):
    release = make_release(make_benefit(), stock=10)
    for member in (alice, bob):
        claim(member, release)
    enter(client, "editor")
    url = f"/console/benefits/release/{release.pk}/stock/"
    page = client.post(url, {"current": 10, "target": 1})
    assert page.status_code == 400
    assert "The stock cannot go below 2: the others are already taken." in page.content.decode()
    release.refresh_from_db()
    assert release.stock == 10
    assert said(client.post(url, {"current": 10, "target": 2}, follow=True)) == [
        "The stock is 2 now."
    ]


def test_a_claim_is_taken_away_only_with_the_right_to(client, alice):
    made = claim(alice, make_release(make_benefit(), codes=1))
    url = f"/console/benefits/claim/{made.pk}/revoke/"
    enter(client, "editor")
    assert client.post(url, {"reason": "fraud"}).status_code == 403
    assert Claim.objects.get(pk=made.pk).state == "granted"
    enter(client, "support")
    assert said(client.post(url, {"reason": "fraud", "note": "seen twice"}, follow=True)) == [
        "The claim was taken away."
    ]
    assert Claim.objects.get(pk=made.pk).state == "revoked"
    event = made.events.get(cause="revoke")
    assert event.facts == {"reason": "fraud", "note": "seen twice", "credits_back": 0}


def test_pictures_are_drawn_or_uploaded_but_never_vectors(client, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    benefit = make_benefit()
    enter(client, "editor")
    url = f"/console/benefits/benefit/{benefit.pk}/picture/"
    client.post(url, {})
    benefit.refresh_from_db()
    drawn = benefit.artwork
    assert (drawn["width"], drawn["height"], sorted(drawn["files"])) == (
        960, 1080, ["avif", "jpeg", "webp"],
    )  # fmt: skip
    for kind, names in drawn["files"].items():
        for width, name in names.items():
            with Image.open(tmp_path / name) as cut:
                assert (cut.width, cut.format.lower()) == (int(width), kind)
    held = io.BytesIO()
    Image.new("RGB", (700, 500), (200, 30, 90)).save(held, "PNG")
    client.post(url, {"picture": SimpleUploadedFile("new.png", held.getvalue())})
    benefit.refresh_from_db()
    assert benefit.artwork["files"] != drawn["files"]
    uploaded = benefit.artwork
    for content in (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"GIF89a"):
        page = client.post(url, {"picture": SimpleUploadedFile("x.png", content)})
        assert b"The picture was not taken" in page.content
    benefit.refresh_from_db()
    assert benefit.artwork == uploaded


def test_a_release_is_made_in_the_console(client):
    benefit = make_benefit()
    enter(client, "editor")
    page = client.post(
        "/console/benefits/release/add/",
        {
            "benefit": benefit.pk, "mode": "codes", "price_credits": 5, "per_member": 1,
            "refill_percent": 10, "opens_at_0": "2026-11-01", "opens_at_1": "00:00",
            "counters-TOTAL_FORMS": 0, "counters-INITIAL_FORMS": 0,
            "code_batches-TOTAL_FORMS": 0, "code_batches-INITIAL_FORMS": 0,
        },
        follow=True,
    )  # fmt: skip
    assert page.status_code == 200
    release = benefit.releases.get()
    assert (release.mode, release.stock, release.livemode) == ("codes", 0, True)


KIND_FIELDS = {
    "app_store_coupon": {"currency": "CNY", "amount_off": 600, "minimum_spend": 3000},
    "apple_music_trial": {"service": "apple_music", "trial_period": "P3M"},
    "icloud_trial": {
        "service": "icloud_plus",
        "trial_period": "P1M",
        "renews_price": 600,
        "renews_currency": "CNY",
    },
    "offer_code": {"app_name": "Pages", "offer": "A month"},
    "credit_pack": {"credits": 50},
    "partner_perk": {"partner_name": "Acme"},
    "draw_ticket": {"draw": "announced"},  # The id of the draw that the test announces.
    "wallet_voucher": {"activity_id": "20260001", "currency": "CNY", "amount_off": 600},
}


def announce(**how):
    """A draw of a coupon that takes entries now."""
    release = make_release(make_benefit(), codes=1, opens_at=soon(hours=1))
    return announce_draw(
        release=release,
        entries_open_at=database_now(),
        entries_close_at=soon(minutes=30),
        actor="operator:test",
        now=database_now() - timedelta(seconds=1),
        **how,
    )


def test_a_ticket_is_made_for_a_draw_by_its_name(client):
    """Nobody types an id: what can be won is chosen, among draws that take tickets."""
    draw, other = announce(entry_by="ticket"), announce()
    enter(client, "editor")
    page = client.get("/console/benefits/benefit/add/?kind=draw_ticket")
    form = page.context["adminform"].form
    choices = dict(form.fields["detail_draw"].choices)
    assert set(choices) == {"", draw.public_id}
    assert choices[draw.public_id].startswith(draw.release.benefit.texts.get().title)
    assert other.public_id not in page.content.decode()
    for name in ("is_giftable", "requires_adult", "valid_days", "usable_until"):
        assert form.fields[name].disabled


def test_every_kind_is_in_the_table():
    assert set(KIND_FIELDS) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KIND_FIELDS))
def test_each_kind_asks_for_its_own_and_makes_its_own_card(client, alice, kind):
    enter(client, "editor")
    own = dict(KIND_FIELDS[kind])
    if kind == "draw_ticket":
        own["draw"] = announce(entry_by="ticket").public_id
        announce()  # Entered by asking: not to be chosen.
    add = "/console/benefits/benefit/add/"
    assert f"?kind={kind}" in client.get(add).content.decode()
    page = client.get(f"{add}?kind={kind}")
    form = page.context["adminform"].form
    asked = {name.removeprefix("detail_") for name in form.fields if name.startswith("detail_")}
    assert asked == {field.name for field in KINDS[kind].fields}
    data = {
        name: form[name].value()
        for name in form.fields
        if (value := form[name].value()) is not None
        and value is not False
        and value != []
        and not name.startswith("visible")
    }
    money = KINDS[kind].money  # Typed in yuan.
    data |= {
        f"detail_{name}": f"{value / 100:.2f}" if name in money else value
        for name, value in own.items()
    }
    data |= {
        "slug": "made-here", "livemode": "on", "requires_binding": "on",
        "visible_from_0": "2026-01-05", "visible_from_1": "04:00:00",
        "texts-0-language": "en", "texts-0-title": "Made here", "texts-0-terms": "Once.",
        "texts-0-features": "", "texts-0-steps": "Open it | In My benefits.\n\nUse it",
    }  # fmt: skip
    for inline in page.context["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        data |= {f"{prefix}-TOTAL_FORMS": int(prefix == "texts"), f"{prefix}-INITIAL_FORMS": 0}
    wrong = client.post(f"{add}?kind={kind}", {**data, **{f"detail_{n}": "" for n in asked}})
    assert wrong.status_code == 200
    assert not Benefit.objects.filter(slug="made-here").exists()
    saved = client.post(f"{add}?kind={kind}", data)
    assert saved.status_code == 302, saved.context["adminform"].form.errors
    benefit = Benefit.objects.get(slug="made-here")
    assert (benefit.kind, benefit.detail) == (kind, own)
    assert benefit.texts.get().steps == [
        {"title": "Open it", "text": "In My benefits."},
        {"title": "Use it", "text": ""},
    ]
    Benefit.objects.filter(pk=benefit.pk).update(status="live")
    sign_in(client, alice)
    shown = client.get("/benefits/made-here").content.decode()
    assert f'href="#i-{KINDS[kind].icon}"' in shown
    assert "Made here" in shown


@pytest.mark.parametrize("role", ["viewer", "auditor", "support"])
def test_who_only_reads_opens_a_benefit_and_a_bundle(client, role):
    benefit = make_benefit()
    bundle = Bundle.objects.create(slug="set", kind="pick", words={"en": {"title": "Set"}})
    enter(client, role)
    for row, name in ((benefit, "benefit"), (bundle, "bundle")):
        page = client.get(f"/console/benefits/{name}/{row.pk}/change/")
        assert page.status_code == 200
        assert "<dt>amount off</dt>" in page.content.decode() or name == "bundle"


@pytest.mark.parametrize(
    "address",
    ["/console/benefits/bundle/add/", "/console/benefits/benefit/add/?kind=app_store_coupon"],
)
def test_a_new_form_shows_no_default_of_the_database(client, address):
    """A column that the database fills has no value yet; Python's stand-in is nothing to read."""
    sign_in_operator(client, make_operator("editor"))
    page = client.get(address)
    assert page.status_code == 200
    assert "DatabaseDefault" not in page.content.decode()


def test_points_are_written_as_lines_and_shown_as_they_were_written():
    field = PointsField()
    kept = [{"title": "Open it", "text": "Show the code"}, {"title": "Use it", "text": ""}]
    written = "Open it | Show the code\nUse it"
    assert field.prepare_value(kept) == written
    assert field.clean(written) == kept
    assert not field.has_changed(kept, "Open it | Show the code\r\nUse it")
    assert field.has_changed(kept, "Open it")
    for wrong in ("| no title", "x" * 81, "a\n" * 9):
        with pytest.raises(ValidationError):
            field.clean(wrong)


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("copy", {"slug": "again", "price_credits": "9" * 20}),
        ("copy", {"slug": "again", "price_credits": "-1"}),
    ],
)
def test_a_number_the_database_cannot_hold_is_a_sentence(client, verb, fields):
    enter(client, "editor")
    benefit = make_benefit()
    answer = client.post(f"/console/benefits/benefit/{benefit.pk}/{verb}/", fields)
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Benefit.objects.filter(slug="again").exists()


def test_days_of_life_past_every_calendar_are_a_sentence(client):
    enter(client, "editor")
    release = make_release(make_benefit(), codes=1)
    answer = client.post(
        f"/console/benefits/release/{release.pk}/make-codes/", {"count": 5, "life_days": 9**9}
    )
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()


def test_a_reader_of_a_provider_sees_that_it_has_a_secret_and_nothing_else(client):
    provider = make_provider()
    enter(client, "support")
    page = client.get(f"/console/benefits/providerconfig/{provider.pk}/change/")
    assert page.status_code == 200
    assert "Shared secret is set" in page.content.decode()
    assert '<div class="readonly">None</div>' not in page.content.decode()


def test_an_editor_puts_a_tag_on_and_takes_it_off(client, alice):
    enter(client, "editor")
    place = "/console/benefits/membertag/"
    assert client.post(f"{place}add/", {"member": alice.pk, "tag": "a b"}).status_code == 200
    assert client.post(f"{place}add/", {"member": alice.pk, "tag": "founder"}).status_code == 302
    tag = MemberTag.objects.get()
    assert (tag.member, tag.tag, tag.added_by[:15]) == (alice, "founder", "operator:editor")
    assert client.post(f"{place}add/", {"member": alice.pk, "tag": "founder"}).status_code == 200
    chosen = {"action": "take_off", "_selected_action": [tag.pk]}
    enter(client, "approver")
    client.post(place, chosen)
    assert MemberTag.objects.count() == 1
    enter(client, "editor")
    assert said(client.post(place, chosen, follow=True)) == ["Taken off: 1."]
    assert MemberTag.objects.count() == 0
