"""The guestbook itself: which address answers with what."""

from pathlib import Path

from guestbook import feed, pages
from guestbook.store import MESSAGE_LIMIT, Store
from guestbook.web import Request, Response, redirect

STATIC = Path(__file__).parent / "static"


class Guestbook:
    """Answers requests from what the store holds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._routes = {
            ("GET", "/"): self._front,
            ("POST", "/entries"): self._sign,
            ("GET", "/entries.json"): self._feed,
            ("GET", "/style.css"): self._style,
        }

    def respond(self, request: Request) -> Response:
        """Answer one request; an address nobody knows is a 404."""
        route = self._routes.get((request.method, request.path))
        return route(request) if route else Response(pages.not_found(), "404 Not Found")

    def _front(self, request: Request) -> Response:
        query = request.query.get("q", "").strip()
        return Response(self._page(_number(request.query.get("page", "")), query))

    def _sign(self, request: Request) -> Response:
        name = request.form.get("name", "").strip()
        message = request.form.get("message", "").strip()
        error = complaint(name, message)
        if error:
            return Response(self._page(1, name=name, message=message, error=error), "400 Bad Request")
        self._store.add(name, message)
        return redirect("/")

    def _page(self, number: int, query: str = "", **draft: str) -> str:
        page = self._store.page(number, query)
        return pages.front(
            page.entries, total=page.total, number=page.number, last=page.last, query=query, **draft
        )

    def _feed(self, request: Request) -> Response:
        # Other people's pages may read it: there is nothing in it that the front page does not show.
        everywhere = {"Access-Control-Allow-Origin": "*"}
        return Response(feed.as_json(self._store.entries()), type="application/json", headers=everywhere)

    def _style(self, request: Request) -> Response:
        return Response((STATIC / "style.css").read_text("utf-8"), type="text/css; charset=utf-8")


def complaint(name: str, message: str) -> str:
    """What is wrong with an entry, in words for its writer; empty if nothing is."""
    if not name:
        return "Please leave your name."
    if not message:
        return "Please leave a few words."
    if len(message) > MESSAGE_LIMIT:
        return f"A message may have {MESSAGE_LIMIT} characters; yours has {len(message)}."
    return ""


def _number(text: str) -> int:
    """The page somebody asks for; the first, if that is no number."""
    try:
        return int(text)
    except ValueError:
        return 1
