import json

import pytest


@pytest.fixture
def visits(server):
    """120 visits, newest first, as the feed should show them."""
    entries = [server.store.add(f"Visitor {number}", f"Visit number {number}.") for number in range(120)]
    return [
        {
            "id": entry.id,
            "name": entry.name,
            "message": entry.message,
            "written": entry.written.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        for entry in reversed(entries)
    ]


def test_the_feed_has_every_entry_newest_first(server, visits):
    answer = server.get("/entries.json")
    assert answer.status == 200
    assert json.loads(answer.text)["entries"] == visits


def test_the_feed_is_json_for_every_domain(server):
    headers = server.get("/entries.json").headers
    assert headers["Content-Type"] == "application/json"
    assert headers["Access-Control-Allow-Origin"] == "*"


def test_an_empty_guestbook_has_an_empty_feed(server):
    assert json.loads(server.get("/entries.json").text) == {"title": "Guestbook", "entries": []}


def test_the_feed_keeps_every_letter(server):
    server.store.add("Zoë", 'Grüße & "Küsse" ☕')
    (entry,) = json.loads(server.get("/entries.json").text)["entries"]
    assert (entry["name"], entry["message"]) == ("Zoë", 'Grüße & "Küsse" ☕')
