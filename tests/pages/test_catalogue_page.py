from benefits.views.catalogue import PAGE_SIZE
from tests.benefits.factories import make_benefit, make_release

HTMX = {"HX-Request": "true"}


def slugs(answer):
    return [card.benefit.slug for card in answer.context["cards"]]


def test_filters_live_in_the_address(alices_phone):
    for slug, hue, price in [("song", "pink", 0), ("game", "violet", 50), ("play", "violet", 0)]:
        make_release(make_benefit(slug=slug, hue=hue, price_credits=price), codes=1)

    assert slugs(alices_phone.get("/benefits?hue=violet&show=credits")) == ["game"]
    assert sorted(slugs(alices_phone.get("/benefits?show=free"))) == ["play", "song"]
    assert sorted(slugs(alices_phone.get("/benefits?hue=nonsense&show=1&page=-3&q="))) == [
        "game", "play", "song",
    ]  # fmt: skip


def test_next_is_a_real_link_that_htmx_follows_for_the_cards_alone(alices_phone):
    for number in range(PAGE_SIZE + 1):
        make_release(make_benefit(slug=f"b{number}"), codes=1)
    first = alices_phone.get("/benefits")
    assert len(slugs(first)) == PAGE_SIZE
    assert 'href="/benefits?page=2"' in first.content.decode()

    second = alices_phone.get("/benefits?page=2")
    rows = alices_phone.get("/benefits?page=2", headers={**HTMX, "HX-Target": "more"})
    assert len(slugs(second)) == 1
    assert set(slugs(first)).isdisjoint(slugs(second))
    assert slugs(rows) == slugs(second)
    assert "<html" not in rows.content.decode()


def test_an_empty_search_keeps_the_words_and_shows_a_way_on(alices_phone):
    page = alices_phone.get("/benefits?q=<b>zebra").content.decode()

    assert 'value="&lt;b&gt;zebra"' in page
    assert "No benefit speaks of “&lt;b&gt;zebra”" in page
    assert "<b>zebra" not in page


def test_an_unknown_benefit_is_a_404_in_our_own_words(alices_phone):
    answer = alices_phone.get("/benefits/nothing-of-ours")

    assert answer.status_code == 404
    assert "This page wandered off" in answer.content.decode()
    assert answer["Request-Id"] in answer.content.decode()
