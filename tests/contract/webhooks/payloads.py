"""Holds the payload of an event against GitHub's own description of its webhook."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from contract.known import is_githubs_own
from contract.webhooks.fetch import schemas

# Events of Actions that are no webhooks: GitHub describes no payload for them.
_UNDESCRIBED = frozenset({"schedule"})
_DOCUMENT = "urn:github-webhooks"
# Its `action` is whatever the request named; the description shows a sample of it.
_DISPATCH = "repository-dispatch-sample.collected"
# GitHub describes this webhook as apps get it; what Actions gets is of no installation.
_AS_TO_AN_APP = {"installation": {"id": 1, "node_id": "I_1"}}


def problems_of(event: str, payload: Mapping[str, Any]) -> list[str]:
    """What is wrong with a payload.

    Args:
        event: the webhook's name, such as `issues`; the payload's own `action` says the rest.
    """
    if event in _UNDESCRIBED:
        return []
    action = payload.get("action")
    if event == "repository_dispatch":
        named = _DISPATCH
        payload = {
            **_AS_TO_AN_APP,
            **payload,
            **({"action": "sample.collected"} if isinstance(action, str) else {}),
        }
    else:
        named = "-".join([event, *([str(action)] if action else [])]).replace("_", "-")
    validator = _validator(named)
    if validator is None:
        return [f"GitHub sends no webhook {event} {action or ''}".rstrip()]
    found = []
    # As GitHub would send it: what is no JSON raises here.
    for error in validator.iter_errors(orjson.loads(orjson.dumps(payload))):
        where = "/".join(map(str, error.instance_path)) or "."
        if not is_githubs_own(error.message):
            found.append(f"{where}: {error.message[:400]}")
    return found


@cache
def _description() -> tuple[dict[str, Any], jsonschema_rs.Registry]:
    text = schemas().read_bytes().replace(b'"#/', f'"{_DOCUMENT}#/'.encode())
    document = orjson.loads(text)
    return document["webhooks"], jsonschema_rs.Registry([(_DOCUMENT, document)])


@cache
def _validator(named: str) -> jsonschema_rs.Draft202012Validator | None:
    webhooks, registry = _description()
    if named not in webhooks:
        return None
    return jsonschema_rs.Draft202012Validator(webhooks[named], validate_formats=True, registry=registry)
