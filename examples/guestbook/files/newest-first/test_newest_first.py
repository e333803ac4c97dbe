def test_the_newest_entry_stands_on_top(server):
    for name in ("Ada", "Grace", "Edsger"):
        server.post("/entries", {"name": name, "message": "Hello"})
    page = server.get("/").text
    assert page.index("Edsger") < page.index("Grace") < page.index("Ada")


def test_a_refused_entry_does_not_turn_the_others_round(server):
    for name in ("Ada", "Grace"):
        server.post("/entries", {"name": name, "message": "Hello"})
    page = server.post("/entries", {"name": "Edsger"}).text
    assert page.index("Grace") < page.index("Ada")


def test_the_page_says_how_many_entries_there_are(server):
    server.post("/entries", {"name": "Ada", "message": "Hello"})
    assert '<p class="count">1 entry</p>' in server.get("/").text
    server.post("/entries", {"name": "Grace", "message": "Hello"})
    assert '<p class="count">2 entries</p>' in server.get("/").text
