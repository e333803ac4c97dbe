from datetime import UTC, datetime, timedelta

from guestbook.store import Store


def test_a_new_guestbook_is_empty(store):
    assert store.entries() == []


def test_an_entry_keeps_what_was_written(store):
    store.add("Ada", "It computes.\nBeautifully.")
    (entry,) = store.entries()
    assert (entry.name, entry.message) == ("Ada", "It computes.\nBeautifully.")


def test_an_entry_knows_when_it_was_written(store):
    entry = store.add("Ada", "Now.")
    assert abs(datetime.now(UTC) - entry.written) < timedelta(minutes=1)


def test_every_entry_is_kept(store):
    for number in range(12):
        store.add("Ada", f"Visit {number}")
    kept = len(store.entries())
    assert kept == 12


def test_entries_come_in_the_order_they_were_written(store):
    for name in ("Ada", "Grace", "Edsger"):
        store.add(name, "Hello")
    assert [entry.name for entry in store.entries()] == ["Ada", "Grace", "Edsger"]


def test_entries_outlive_the_program(store, tmp_path):
    store.add("Ada", "Still here.")
    again = Store(tmp_path / "guestbook.sqlite3")
    assert [entry.message for entry in again.entries()] == ["Still here."]
