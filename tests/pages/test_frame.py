"""What every page stands in: languages, appearance, headers, errors, the installable parts."""

import json
import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from tests.factories import sign_in
from zone.notices.services import write_notice


def test_language_is_kept_with_the_member_and_in_the_browser(alices_phone, alice):
    answer = alices_phone.post("/settings/language", {"language": "zh-hans", "next": "/settings"})

    alice.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (302, "/settings")
    assert alice.language == "zh-hans"
    assert 'lang="zh-hans"' in alices_phone.get("/settings").content.decode()


def test_a_visitor_changes_language_without_script(client, db):
    client.post("/settings/language", {"language": "zh-hans", "next": "/"})
    assert 'lang="zh-hans"' in client.get("/").content.decode()


@pytest.mark.parametrize("language", ["xx", "", "zh-hant"])
def test_a_language_we_do_not_speak_changes_nothing(alices_phone, alice, language):
    alices_phone.post("/settings/language", {"language": language})
    alice.refresh_from_db()
    assert alice.language == "en"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_form_never_leads_off_the_site(client, db, address):
    answer = client.post("/settings/theme", {"theme": "dark", "next": address})
    assert answer["Location"] == "/"


def test_appearance_is_forced_and_given_back_to_the_device(client, db):
    client.post("/settings/theme", {"theme": "dark"})
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/settings/theme", {"theme": "system"})
    assert "data-theme" not in client.get("/").content.decode()


@pytest.mark.parametrize("path", ["/", "/benefits", "/settings", "/nothing", "/offline"])
def test_the_content_policy_is_strict_and_nothing_is_inline(client, db, path):
    answer = client.get(path)
    policy = answer["Content-Security-Policy"]
    page = answer.content.decode()

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "style=" not in page
    assert "onclick=" not in page
    assert "hx-on" not in page
    assert re.findall(r"<script(?! src=)", page) == []


@pytest.mark.parametrize("path", ["/", "/benefits", "/me", "/me/benefits", "/inbox", "/settings"])
def test_each_page_has_one_heading_of_the_first_rank(alices_phone, path):
    page = alices_phone.get(path).content.decode()
    assert page.count("<h1") == 1
    assert 'id="main"' in page


def test_error_pages_ask_nothing_of_the_database(client, db, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer["Cache-Control"].startswith("no-store")


def test_a_form_without_its_token_is_refused_in_words(alice):
    strict = Client(enforce_csrf_checks=True)
    sign_in(strict, alice)
    answer = strict.post("/settings/language", {"language": "zh-hans"})

    assert answer.status_code == 403
    assert "This page was open for too long" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.language == "en"


def test_manifest_and_worker_hold_nothing_of_a_person(alices_phone, alice):
    manifest = json.loads(alices_phone.get("/manifest.webmanifest").content)
    assert manifest["start_url"] == "/"
    worker = alices_phone.get("/sw.js")
    assert worker["Content-Type"].startswith("text/javascript")
    offline = alices_phone.get("/offline").content.decode()
    assert alice.display_name not in worker.content.decode() + offline
    assert alice.public_id not in worker.content.decode() + offline


def test_inbox_pages_reads_and_follows_links(alices_phone, alice):
    for number in range(25):
        at = datetime(2026, 11, 1, 0, number, tzinfo=UTC)
        write_notice(member_id=alice.pk, kind="welcome", facts={}, at=at)
    write_notice(
        member_id=alice.pk,
        kind="claim_granted",
        facts={"title": {"en": "Music <3", "zh-hans": "音乐"}},
        link="/me/benefits",
    )
    first = alices_phone.get("/inbox")
    newest = first.context["notices"][0]
    assert "Music &lt;3 is yours" in first.content.decode()
    assert (len(first.context["notices"]), first.context["has_more"]) == (20, True)
    last = first.context["notices"][-1]
    rest = alices_phone.get(f"/inbox?before={last.public_id}", headers={"HX-Request": "true"})
    assert len(rest.context["notices"]) == 6
    assert "<html" not in rest.content.decode()

    opened = alices_phone.get(f"/inbox/{newest.public_id}")
    assert opened["Location"] == "/me/benefits"
    newest.refresh_from_db()
    assert newest.is_read

    alices_phone.post("/inbox/read", {"up_to": newest.public_id})
    assert not alice.notices.filter(read_at=None).exists()


@pytest.mark.parametrize("path", ["/inbox/ntc_X", "/inbox?before=1", "/inbox/read"])
def test_a_notice_id_that_is_none_is_a_404(alices_phone, path):
    method = alices_phone.post if path.endswith("read") else alices_phone.get
    assert method(path).status_code == 404


def test_a_notice_of_someone_else_is_a_404(alices_phone, bob):
    write_notice(member_id=bob.pk, kind="welcome", facts={})
    notice = bob.notices.get()
    assert alices_phone.get(f"/inbox/{notice.public_id}").status_code == 404
    notice.refresh_from_db()
    assert not notice.is_read


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_kind_of_notice_has_words(alices_phone, alice, settings, language):
    facts = {
        "title": "Thing", "name": "Thing", "amount": 120, "currency": "CNY", "old_amount": 100,
        "new_amount": 200, "valid_until": "2026-12-01T12:00:00+00:00", "ends_on": "2026-12-01",
        "expires_on": "2026-12-31", "credits": 5, "gap": 320, "keep_by": "2026-12-31",
        "until": "2026-12-31", "body": "Words", "entries": 3,
    }  # fmt: skip
    kinds = sorted(
        path.stem for path in (settings.BASE_DIR / "templates/notices/kinds").glob("*.html")
    )
    for kind in kinds:
        write_notice(member_id=alice.pk, kind=kind, facts=facts)
    alice.language = language
    alice.save(update_fields=["language"])
    seen, answer = [], alices_phone.get("/inbox")
    seen += answer.context["notices"]
    while answer.context["has_more"]:
        answer = alices_phone.get("/inbox", {"before": seen[-1].public_id})
        seen += answer.context["notices"]
    assert sorted(notice.kind for notice in seen) == kinds
    assert {"welcome", "claim_granted", "claim_failed", "claim_expiring"} <= set(kinds)
