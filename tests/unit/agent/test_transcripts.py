import json

from autonomous_loop.agent import transcripts
from autonomous_loop.agent.transcripts import Transcripts


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_each_conversation_is_a_file_of_its_own_without_what_nobody_can_read(tmp_path):
    made = Transcripts(tmp_path / "t")
    one, two = made.begin(), made.begin()
    one({"role": "user", "content": [{"type": "text", "text": "hällo \ud800"}]})
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 9}}
    two({"role": "user", "content": [{"type": "tool_result", "content": [picture]}]})
    one({"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "S" * 5}]})
    first, second = sorted((tmp_path / "t").iterdir())
    assert [one["role"] for one in lines(first)] == ["user", "assistant"]
    assert lines(first)[1]["content"][0] == {
        "type": "thinking", "thinking": "hm", "signature": "(5 characters left out)",
    }  # fmt: skip
    shown = lines(second)[0]["content"][0]["content"][0]["source"]
    assert shown["data"] == "(9 characters left out)"
    assert shown["media_type"] == "image/png"


def test_without_a_folder_nothing_is_written(tmp_path):
    Transcripts(None).begin()({"role": "user", "content": "x"})
    assert list(tmp_path.iterdir()) == []


def test_a_conversation_without_end_is_cut_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(transcripts, "MOST_BYTES", 200)
    take = Transcripts(tmp_path / "t").begin()
    for _ in range(50):
        take({"role": "user", "content": "x" * 60})
    (file,) = (tmp_path / "t").iterdir()
    assert len(lines(file)) == 3
    assert lines(file)[-1] == {"left out": "the rest of this conversation"}
