"""A member who reads Chinese meets no English name that an operator could have written in both."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from benefits.models import Benefit, BenefitText, Bundle, StampBoard
from credits.models import CheckInTrack, EarnBonus, EarnPolicy, EarnRule, Mission, Tier, TierPlan
from tests.factories import sign_in
from zone.members.models import Member, Wallet
from zone.notices.models import Announcement

CHINESE = "zh-hans"
SPOKEN = {"alt", "aria-label", "title", "placeholder", "content"}
# Each leads out of the portal, to a file, or ends the visit.
ELSEWHERE = re.compile(r"^/(static|media|console|sandbox|sign-out|activity/export)|\.[a-z]+$")
PUBLIC_ID = re.compile(r"/[a-z]+_[0-9A-Z]{26}\b")
OF_A_KIND = 3
ROOMS = ("members", "history", "notices", "credits", "benefits", "pages")


class Words(HTMLParser):
    """What a page says, by ink or by voice, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in ("script", "style")
        for name, value in attrs:
            if name in SPOKEN and value:
                self.said.append(value)
            if tag == "a" and name == "href" and value:
                self.links.append(value)

    def handle_endtag(self, tag):
        self.silent -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.silent and data.strip():
            self.said.append(data.strip())


def english_names() -> set[str]:
    """Every name an operator gave in English, as far as it is not also what Chinese says."""
    names = {wallet.name for wallet in Wallet.objects.all() if CHINESE in wallet.names}
    for model in (EarnRule, EarnBonus):
        names |= set(model.objects.values_list("name", flat=True))
    for model in (CheckInTrack, EarnPolicy, TierPlan):
        names |= set(model.objects.values_list("name", flat=True))
    for model in (Mission, Tier, StampBoard):
        names |= {row.names["en"] for row in model.objects.all()}
    names |= {text for row in Announcement.objects.all() for text in (row.titles["en"],)}
    names |= {row.words["en"][part] for row in Bundle.objects.all() for part in ("title", "text")}
    for row in BenefitText.objects.filter(language="en"):
        names |= {row.title, row.subtitle, row.description}
    return {name for name in names if name}


def chinese_words() -> str:
    rows = BenefitText.objects.filter(language=CHINESE)
    return "\n".join(f"{row.title}\n{row.subtitle}\n{row.description}" for row in rows)


def member_paths() -> list[str]:
    """Every address of the members' rooms that names no row."""
    routes = [
        f"/{pattern.pattern}"
        for included in get_resolver().url_patterns
        if isinstance(included, URLResolver) and included.namespace in ROOMS
        for pattern in included.url_patterns
        if isinstance(pattern, URLPattern)
    ]
    return [route for route in routes if "<" not in route and not ELSEWHERE.search(route)]


def pages_of(client, limit: int = 120) -> Iterator[tuple[str, Words]]:
    """Every page that links lead to from the start, three of each kind of row."""
    waiting = member_paths()
    seen, kinds = set(waiting), {}
    while waiting and limit:
        path = waiting.pop(0)
        answer = client.get(path, follow=True)
        if answer.status_code != 200 or "text/html" not in answer["Content-Type"]:
            assert answer.status_code < 500, path
            continue
        limit -= 1
        words = Words()
        words.feed(answer.content.decode())
        yield path, words
        for link in words.links:
            link = link.split("#")[0]
            kind = PUBLIC_ID.sub(
                "/*", re.sub(r"^/benefits/[^/?]+", "/benefits/*", link.split("?")[0])
            )
            if not link.startswith("/") or link in seen or ELSEWHERE.search(link.split("?")[0]):
                continue
            seen.add(link)
            kinds[kind] = kinds.get(kind, 0) + 1
            if kinds[kind] <= (40 if kind == "/benefits/*" else OF_A_KIND):
                waiting.append(link)


@pytest.mark.slow
def test_no_page_of_a_chinese_reader_says_an_english_name(seeded_database, client):
    Member.objects.update(language=CHINESE)
    written = chinese_words()
    banned = {name for name in english_names() if name not in written}
    assert {"Alipay", "First link", "1 per CNY 1"} <= banned
    assert Benefit.objects.count() > 10
    wrong, count = [], 0
    assert {"/", "/credits", "/stamps", "/me/wallet", "/gifts/new"} <= set(member_paths())
    for wallet in ("ALIPAY_CN", "ALIPAY_HK", "GCASH"):
        member = Member.objects.filter(wallet=wallet, bindings__status="active").first()
        client.cookies.clear()
        sign_in(client, member)
        for path, words in pages_of(client):
            count += 1
            said = "\n".join(words.said)
            wrong += [
                (path, name)
                for name in banned
                if re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", said)
            ]
    assert count > 60
    assert wrong == []
