import pytest


@pytest.fixture
def busy(server):
    """A guestbook of 23 visits: two full pages and one of three."""
    for number in range(1, 24):
        server.store.add("Ada", f"Visit {number}.")
    return server


def visits(answer):
    return [number for number in range(1, 24) if f"Visit {number}." in answer.text]


def test_a_page_has_the_ten_newest_entries(busy):
    assert visits(busy.get("/")) == list(range(14, 24))


def test_the_following_pages_have_the_rest(busy):
    assert visits(busy.get("/?page=2")) == list(range(4, 14))
    assert visits(busy.get("/?page=3")) == [1, 2, 3]


def test_links_lead_to_older_and_newer_entries(busy):
    first, second, last = (busy.get(f"/?page={number}").text for number in (1, 2, 3))
    assert '<a href="/?page=2">Older</a>' in first
    assert "Newer" not in first
    assert '<a href="/?page=1">Newer</a>' in second
    assert '<a href="/?page=3">Older</a>' in second
    assert "Older" not in last


def test_the_count_is_that_of_all_entries(busy):
    assert '<p class="count">23 entries</p>' in busy.get("/?page=3").text


def test_a_page_that_is_not_there_shows_the_nearest(busy):
    assert visits(busy.get("/?page=99")) == [1, 2, 3]
    for number in ("0", "-1", "abc", "", "%C2%B2"):
        assert visits(busy.get(f"/?page={number}")) == list(range(14, 24)), number
