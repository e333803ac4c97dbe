def test_a_message_of_280_characters_is_kept_whole(server):
    answer = server.post("/entries", {"name": "Ada", "message": "x" * 280})
    assert answer.status == 303
    assert server.store.entries()[0].message == "x" * 280
