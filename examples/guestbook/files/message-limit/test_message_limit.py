def test_a_message_of_280_characters_is_kept_whole(server):
    answer = server.post("/entries", {"name": "Ada", "message": "x" * 280})
    assert answer.status == 303
    assert server.store.entries()[0].message == "x" * 280


def test_a_longer_message_is_refused_in_words(server):
    answer = server.post("/entries", {"name": "Ada", "message": "x" * 281})
    assert answer.status == 400
    assert "A message may have 280 characters; yours has 281." in answer.text
    assert server.store.entries() == []


def test_a_refused_message_stays_in_the_form(server):
    answer = server.post("/entries", {"name": "Ada", "message": "novel " * 60})
    assert ("novel " * 60).strip() in answer.text


def test_the_form_says_the_limit(server):
    assert 'maxlength="280"' in server.get("/").text


def test_a_line_end_counts_once(server):
    answer = server.post("/entries", {"name": "Ada", "message": "x" * 139 + "\r\n" + "x" * 140})
    assert answer.status == 303
