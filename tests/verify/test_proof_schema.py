"""`docs/proof.schema.json` is what `proofs/<feature>.json` holds (`scripts/tables.py` writes it)."""

import json
from pathlib import Path

import jsonschema_rs
import pytest

from autonomous_loop.domain.model import scrubbed
from verify.proof_world import DOUBLE, DOUBLE_TEST, START

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCHEMA = Path(__file__).parents[2] / "docs" / "proof.schema.json"


async def test_a_real_proof_as_it_is_kept_fits_the_schema(world, configured):
    configured(gates=("test -f calc.py",))
    await world.start_with_baseline(START)
    verdict = await world.submit(DOUBLE | DOUBLE_TEST, "tests/test_double.py")
    assert verdict.accepted, verdict.reasons
    kept = json.loads(scrubbed(verdict.proof, str).model_dump_json(indent=1))
    schema = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))
    schema.validate(kept)
    for step in ("baseline", "red", "green", "regression"):
        assert kept[step]["counts"]["passed"] + kept[step]["counts"]["failed"] > 0
    for broken in (
        {**kept, "verdict": "trust me"},
        {**kept, "marks": ["proved by the model"]},
        {**kept, "schema_version": 2},
        {**kept, "green": {"command": "python -m pytest"}},
        {name: one for name, one in kept.items() if name != "before"},
    ):
        assert not schema.is_valid(broken)


async def test_every_field_that_is_explained_in_the_code_is_explained_in_the_schema():
    schema = json.loads(SCHEMA.read_text())
    assert schema["properties"]["red"]["description"].startswith("the submitted tests on the code before")
    assert "flaky" in schema["$defs"]["TestRun"]["properties"]
    assert schema["$defs"]["GateRun"]["properties"]["tree"]["description"] == "the tracked files it ran on."
