import pytest

from autonomous_loop.domain.feature import Feature
from autonomous_loop.domain.proof import Proof
from autonomous_loop.engine.attempt import commit_message
from autonomous_loop.report.redactor import Redactor
from autonomous_loop.report.reporter import MarkdownReporter
from autonomous_loop.report.view_model import Site


@pytest.mark.parametrize(
    ("description", "subject"),
    [("  ", "two:"), ("\nA\x00 B.\nmore", "two: A B"), ("x" * 90, f"two: {'x' * 64}...")],
)
def test_any_description_makes_a_subject_git_takes(description, subject):
    feature = Feature(id="two", description=description)
    proof = Proof(
        feature_id="two", kind=feature.kind, tests=(), before="0" * 40, after_tree="0" * 40, summary="a\0b"
    )
    reporter = MarkdownReporter(Site(), state=lambda: None, redactor=Redactor())
    message = commit_message(feature, proof, reporter)
    assert message.splitlines()[0].strip() == subject
    assert "\0" not in message
