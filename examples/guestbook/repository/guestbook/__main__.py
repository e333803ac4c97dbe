"""`python -m guestbook`: serves the guestbook until it is interrupted."""

import argparse
from pathlib import Path

from guestbook.app import Guestbook
from guestbook.store import Store
from guestbook.web import make_server


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(prog="guestbook", description="A small guestbook for a small website.")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument(
        "--database", type=Path, default=Path("guestbook.sqlite3"), help="default: %(default)s"
    )
    options = parser.parse_args()
    with make_server(Guestbook(Store(options.database)), options.port) as server:
        print(f"The guestbook lies open at http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("Closed.")


if __name__ == "__main__":
    main()
