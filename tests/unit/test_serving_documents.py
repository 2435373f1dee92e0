from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.serving.documents import documents_in
from include.serving.rebuild import beyond
from include.serving.scan import Document


def test_bulk_bodies_of_all_parts_are_read(tmp_path: Path) -> None:
    for day in ("1", "2"):
        (tmp_path / f"day={day}").mkdir()
        body = f'{{"index":{{"_id":"e-{day}"}}}}\n{{"event_id":"e-{day}"}}\n'
        (tmp_path / f"day={day}" / "part-0.txt").write_text(body, encoding="utf-8")
    (tmp_path / "_SUCCESS").touch()
    assert list(documents_in(tmp_path)) == [Document(f"e-{day}", {"event_id": f"e-{day}"}) for day in ("1", "2")]


@pytest.mark.parametrize("body", ["{}\n{}\n", '{"index":{"_id":"e-1"}}\n', "no json\n{}\n"])
def test_a_file_that_is_no_bulk_body_is_named(tmp_path: Path, body: str) -> None:
    (tmp_path / "part-0.txt").write_text(body, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"part-0\.txt, document 1: expected a line with an index action"):
        list(documents_in(tmp_path))


def test_what_was_read_after_the_offsets_is_newer() -> None:
    (covered,) = beyond({"purchases": {"1": 7}})["bool"]["must_not"]
    assert covered["bool"]["filter"] == [
        {"term": {"topic": "purchases"}},
        {"term": {"partition": 1}},
        {"range": {"offset": {"lt": 7}}},
    ]
