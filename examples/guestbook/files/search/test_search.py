from playwright.sync_api import Page

GUESTS = {
    "Marta": "The plum cake at the summer fair was wonderful. Thank you all!",
    "Jonas": "We found the path behind the mill thanks to your map.",
    "Änne": "My grandmother baked the same cake. Who has the recipe?",
    "Tom & Lil": "Greetings from the coast. See you at the fair next year.",
}


def write(server):
    for name, message in GUESTS.items():
        server.store.add(name, message)


def test_a_visitor_searches_in_the_browser(server, page: Page):
    write(server)
    page.goto(server.url)
    box = page.get_by_role("searchbox", name="Search")
    assert box.count() == 1
    box.fill("CAKE")
    box.press("Enter")
    page.wait_for_url("**/?q=CAKE")
    assert page.locator(".entry .name").all_inner_texts() == ["Änne", "Marta"]
    assert page.locator("mark").all_inner_texts() == ["cake", "cake"]
    assert page.locator(".count").inner_text() == "2 entries with “CAKE”"
    assert page.get_by_role("searchbox", name="Search").input_value() == "CAKE"


def test_names_are_searched_too_in_any_case(server):
    write(server)
    assert "My grandmother" in server.get("/?q=%C3%A4NNE").text
    assert "Jonas" not in server.get("/?q=%C3%A4NNE").text


def test_what_is_searched_for_is_never_markup(server):
    write(server)
    page = server.get("/?q=%3Cb%3E").text
    assert "<b>" not in page
    assert "Nothing was found." in page
    assert "Tom <mark>&amp;</mark> Lil" in server.get("/?q=%26").text


def test_the_pages_of_a_search_keep_the_search(server):
    for number in range(12):
        server.store.add("Ada", f"Tea & cake {number}")
        server.store.add("Bob", "Hello")
    page = server.get("/?q=tea+%26+cake").text
    assert '<a href="/?q=tea+%26+cake&amp;page=2">Older</a>' in page
    last = server.get("/?q=tea+%26+cake&page=2").text
    assert "Bob" not in last
    assert last.count('class="entry"') == 2
