def test_the_front_page_is_html(server):
    answer = server.get("/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>" in answer.text


def test_a_signed_entry_appears_on_the_front_page(server):
    answer = server.post("/entries", {"name": "Ada", "message": "It computes."})
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert "It computes." in server.get("/").text


def test_an_entry_without_a_name_is_refused(server):
    answer = server.post("/entries", {"name": "  ", "message": "Who am I?"})
    assert answer.status == 400
    assert "Please leave your name." in answer.text
    assert server.store.entries() == []


def test_an_entry_without_a_message_is_refused(server):
    answer = server.post("/entries", {"name": "Ada"})
    assert answer.status == 400
    assert "Please leave a few words." in answer.text


def test_the_style_sheet_is_served(server):
    answer = server.get("/style.css")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/css; charset=utf-8")


def test_an_unknown_address_is_not_found(server):
    assert server.get("/nowhere").status == 404


def test_a_flood_is_turned_away(server):
    answer = server.post("/entries", {"name": "Eve", "message": "x" * 70_000})
    assert answer.status == 413
    assert server.store.entries() == []
