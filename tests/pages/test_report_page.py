"""Saying that a code does not work, on a phone without a script."""

from datetime import timedelta

from django.test import Client

from benefits.models import Claim, CodeReport
from tests.benefits.factories import claim, make_benefit, make_release
from tests.benefits.test_code_reserve import seen
from zone.core.clock import database_now


def test_the_member_reports_on_a_page_and_gets_the_new_one(alices_phone, alice):
    release = make_release(make_benefit(), codes=3)
    bad = seen(alice, release)
    url = f"/me/benefits/{bad.public_id}/report"
    assert url in alices_phone.get(f"/me/benefits/{bad.public_id}").content.decode()
    assert b"What happened when you used it?" in alices_phone.get(url).content
    assert alices_phone.post(url, {"reason": "bored"}).status_code == 422
    done = alices_phone.post(url, {"reason": "used"}, follow=True)
    fresh = CodeReport.objects.get().replacement
    assert done.redirect_chain[0][0] == f"/me/benefits/{fresh.public_id}"
    assert "Here is a new one." in done.content.decode()
    assert alices_phone.post(url, {"reason": "used"}).status_code == 302, "a repeat is the same"
    unseen = claim(alice, make_release(make_benefit(), codes=1))
    refused = alices_phone.post(f"/me/benefits/{unseen.public_id}/report", {"reason": "used"})
    assert refused.status_code == 409
    assert Client().get(url).status_code == 302, "a stranger signs in first"


def test_a_deadline_of_the_report_is_kept_by_the_member_page(alices_phone, alice):
    made = seen(alice, make_release(make_benefit(), codes=1))
    Claim.objects.filter(pk=made.pk).update(revealed_at=database_now() - timedelta(days=31))
    page = alices_phone.get(f"/me/benefits/{made.public_id}").content.decode()
    assert "/report" not in page


def test_what_has_no_code_is_told_so_and_offers_no_report(alices_phone, alice):
    """Granted by an issuer without a code: nothing to type, so nothing that could be wrong."""
    made = claim(alice, make_release(make_benefit(), stock=1))
    now = database_now()
    Claim.objects.filter(pk=made.pk).update(
        state="granted", granted_at=now, valid_from=now, next_attempt_at=None
    )
    url = f"/me/benefits/{made.public_id}"
    shown = alices_phone.post(f"{url}/reveal").content.decode()
    assert "No code is needed: it is added to your account." in shown
    assert "/report" not in shown
    assert "/report" not in alices_phone.get(url).content.decode()
    page = alices_phone.get(f"{url}/report").content.decode()
    assert "Report this code" not in page
