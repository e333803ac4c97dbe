from playwright.sync_api import Page, expect


def write(server):
    server.store.add("Marta", "The plum cake at the summer fair was wonderful. Thank you all!")
    server.store.add("Jonas", "We found the path behind the mill thanks to your map.")
    server.store.add("Tom & Lil", "Greetings from the coast. See you at the fair next year.")


def test_a_heart_counts_in_the_browser_without_a_reload(server, page: Page):
    write(server)
    page.goto(server.url)
    jonas = page.locator("#entry-2")
    assert jonas.get_by_role("button", name="Like").count() == 1
    page.evaluate("window.sameDocument = true")
    for likes in ("1", "2", "3"):
        jonas.get_by_role("button", name="Like").click()
        expect(jonas.locator("output")).to_have_text(likes)
    expect(page.locator("#entry-1 output")).to_have_text("")
    assert page.evaluate("window.sameDocument")
    page.reload()
    expect(jonas.locator("output")).to_have_text("3")


def test_without_javascript_the_heart_leads_back_to_its_entry(server):
    write(server)
    answer = server.post("/likes", {"entry": "2"})
    assert (answer.status, answer.headers["Location"]) == (303, "/#entry-2")
    assert "<output>1</output>" in server.get("/").text


def test_an_entry_that_is_not_there_cannot_be_liked(server):
    write(server)
    assert server.post("/likes", {"entry": "99"}).status == 404
    assert server.post("/likes", {"entry": "heart"}).status == 404
    assert server.post("/likes").status == 404
