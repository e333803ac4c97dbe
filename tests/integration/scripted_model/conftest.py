from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import pytest

from embedded_github.server import LocalServer
from integration.scripted_model.model_bench import Bench, Model
from scripted_model.log import RequestLog
from scripted_model.script import Script
from scripted_model.server import create_app


@pytest.fixture
def model() -> Model:
    @asynccontextmanager
    async def _model(
        *turns: dict[str, Any], timeout_s: float = 30.0, retries: int = 0, **more: Any
    ) -> AsyncIterator[Bench]:
        script = Script.model_validate({"features": {"form": [{"turns": list(turns)}]}, **more})
        log = RequestLog()
        app = create_app(script, api_keys=frozenset({"key-1"}), log=log)
        with LocalServer(app) as server:
            async with anthropic.AsyncAnthropic(
                api_key="key-1",
                base_url=server.url,
                timeout=timeout_s,
                max_retries=retries,
                _strict_response_validation=True,
            ) as client:
                yield Bench(client, log, server.url)

    return _model
