from datetime import UTC, datetime

from guestbook import pages
from guestbook.store import Entry

ADA = Entry(1, "Ada", "It computes.", datetime(2026, 3, 1, 14, 5, tzinfo=UTC))


def test_an_empty_guestbook_invites_the_first_visitor():
    assert "Be the first!" in pages.front([])


def test_an_entry_shows_name_message_and_time():
    page = pages.front([ADA])
    assert '<h2 class="name">Ada</h2>' in page
    assert '<p class="message">It computes.</p>' in page
    assert "1 March 2026, 14:05 UTC" in page


def test_what_visitors_write_is_never_markup():
    page = pages.front([Entry(1, "<b>Eve</b>", "<script>alert(1)</script>", ADA.written)])
    assert "<script>alert" not in page
    assert "<b>Eve" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_mistake_keeps_what_was_typed():
    page = pages.front([], name='"Ada"', message="<3", error="Please leave a few words.")
    assert "Please leave a few words." in page
    assert "&quot;Ada&quot;" in page
    assert "&lt;3" in page
