"""The store: its transactions, its tokens, its numbers, and what survives a restart."""

import sqlite3
import threading

import pytest

from embedded_github.forge.database import Database
from embedded_github.forge.models import Actor
from embedded_github.forge.store import Store

ANN = Actor("ann")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "forge") as store:
        store.create_repository("octo/guestbook", collaborators={"ann": "write"})
        yield store


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "x.sqlite3")
    yield database
    database.close()


def test_what_fails_inside_a_transaction_leaves_nothing_and_tells_nobody(database):
    told = []

    def fail():
        with database.transaction():
            database.execute("INSERT INTO users (login, type, created_at) VALUES ('a', 'User', '')")
            with database.transaction():
                database.after_commit(lambda: told.append("a"))
            raise LookupError("half way")

    with pytest.raises(LookupError):
        fail()
    assert database.one("SELECT 1 FROM users WHERE login = 'a'") is None
    with database.transaction():
        database.after_commit(lambda: told.append("b"))
    assert told == ["b"]


def test_subscribers_run_after_the_outermost_commit_and_hold_no_lock(database):
    seen = []

    def from_another_thread():
        seen.append(database.one("SELECT count(*) AS n FROM users WHERE login = 'a'")["n"])

    def subscriber():
        thread = threading.Thread(target=from_another_thread)
        thread.start()
        thread.join(5)
        seen.append("told")

    with database.transaction(), database.transaction():
        database.execute("INSERT INTO users (login, type, created_at) VALUES ('a', 'User', '')")
        database.after_commit(subscriber)
        assert seen == []
    assert seen == [1, "told"]


def test_threads_take_numbers_without_gaps_or_doubles(store):
    def open_some():
        for _ in range(10):
            store.issues.create("octo/guestbook", "t", None, ANN)

    threads = [threading.Thread(target=open_some) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = sorted(issue.number for issue in store.issues.list("octo/guestbook"))
    assert numbers == list(range(1, 41))


def test_ids_numbers_and_kinds_cannot_be_mistaken_for_one_another(store):
    issue = store.issues.create("octo/guestbook", "t", None, ANN)
    comment = store.comments.create("octo/guestbook", issue.number, "c", ANN)
    assert len({issue.id, issue.number, comment.id}) == 3
    assert store.issues.get("octo/guestbook", issue.id) is None


def test_everything_is_there_again_after_a_restart_even_elsewhere(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.txt").write_text("a")
    with Store(tmp_path / "one") as store:
        store.create_repository("octo/guestbook", from_folder=source)
        store.issues.create("octo/guestbook", "kept", None, Actor("octo"), labels=["x"])
        token = store.create_token("octo")
    (tmp_path / "one").rename(tmp_path / "two")
    with Store(tmp_path / "two") as store:
        (issue,) = store.issues.list("octo/guestbook")
        assert (issue.title, [one.name for one in issue.labels]) == ("kept", ["x"])
        assert store.git("octo/guestbook").read("main", "a.txt") == b"a"
        found = store.tokens.find(token)
        assert found is not None
        assert found.login == "octo"


def test_no_token_is_kept_in_readable_form(tmp_path):
    with Store(tmp_path / "forge") as store:
        store.create_repository("octo/guestbook")
        tokens = [store.create_token("octo"), store.mint_token("octo/guestbook", {"issues": "write"}, 1)]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "forge").iterdir() if path.is_file())
    assert len(kept) > 1000
    assert not any(token.encode() in kept for token in tokens)


def test_a_level_that_does_not_exist_is_refused(store):
    with pytest.raises(ValueError, match="issues is 'all': it must be none, read or write"):
        store.mint_token("octo/guestbook", {"issues": "all"}, 1)
    with pytest.raises(LookupError, match="no repository octo/nope"):
        store.mint_token("octo/nope", {}, 1)


@pytest.mark.parametrize("name", ["guestbook", "a/b/c", "octo/../x", "octo/x.git", "octo/ ", "../x"])
def test_a_repositorys_name_stays_inside_the_folder(store, name):
    with pytest.raises((ValueError, LookupError)):
        store.create_repository(name)


def test_names_are_found_in_any_case_and_kept_as_written(store):
    assert store.repositories.require("OCTO/Guestbook").full_name == "octo/guestbook"
    store.labels.create("octo/guestbook", "Bug", ANN)
    issue = store.issues.create("octo/guestbook", "t", None, ANN, labels=["bug"])
    assert [one.name for one in issue.labels] == ["Bug"]


def test_a_folders_links_and_dot_files_are_committed_and_its_git_is_not(tmp_path):
    source = tmp_path / "source"
    (source / ".git").mkdir(parents=True)
    (source / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
    (source / ".gitignore").write_text("*.log\n")
    (source / "kept.log").write_text("kept")
    (source / "link").symlink_to("kept.log")
    with Store(tmp_path / "forge") as store:
        store.create_repository("octo/guestbook", from_folder=source)
        entries = store.git("octo/guestbook").entries("main") or ()
        assert {one.path: one.type for one in entries} == {
            ".gitignore": "file",
            "kept.log": "file",
            "link": "symlink",
        }


def test_a_closed_store_answers_nothing(tmp_path):
    store = Store(tmp_path / "forge")
    store.close()
    with pytest.raises(sqlite3.ProgrammingError):
        store.users.list()
