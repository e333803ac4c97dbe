"""Reads the request on a plain git directory: a request file, or a ready-made feature list."""

from __future__ import annotations

from pathlib import Path

from autonomous_loop.config import LoopConfig
from autonomous_loop.domain.feature import FeatureList, read_feature_list
from autonomous_loop.domain.request import Request
from autonomous_loop.errors import RequestError
from autonomous_loop.git.project import Project

FEATURE_LIST = "feature_list.json"


def read_local_request(
    project: Project, request_file: Path | None, config: LoopConfig
) -> tuple[Request, FeatureList | None]:
    """Return the request, and the feature list if there is one.

    Raises:
        RequestError: there is neither, or the file cannot be read.
        FeatureListError: the list is invalid.
    """
    listed = project.root / FEATURE_LIST
    if request_file is None:
        if not listed.is_file():
            raise RequestError(
                f"there is no request: neither a request file nor {FEATURE_LIST} in {project.root}",
                hint="write what you want into a Markdown file and give it with --request FILE.",
            )
        imported = read_feature_list(listed.read_bytes(), source=str(listed), most=config.max_features)
        title = f"{len(imported.features)} features of {FEATURE_LIST}"
        return Request(title=title, body=imported.model_dump_json()[:200_000]), imported
    try:
        text = request_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RequestError(
            f"the request file {request_file} does not exist", hint="check the path after --request."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise RequestError(f"the request file {request_file} cannot be read: {error}") from None
    return request_of(text, source=str(request_file)), None


def request_of(text: str, *, source: str) -> Request:
    """Use the first heading or line as title and the rest as body.

    Raises:
        RequestError: the text is empty.
    """
    lines = text.strip().splitlines()
    if not lines:
        raise RequestError(f"{source} is empty", hint="write what you want into it.")
    return Request(title=lines[0].lstrip("# ").strip()[:500], body="\n".join(lines[1:]).strip()[:200_000])
