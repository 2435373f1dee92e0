from xml.etree import ElementTree

from include.config import PROJECT_ROOT
from include.names import Alias, DagId, Query, Topic

PICTURE = PROJECT_ROOT / "docs" / "images" / "architecture.svg"
SVG = "{http://www.w3.org/2000/svg}"


def names_in_the_picture() -> set[str]:
    texts = ElementTree.parse(PICTURE).iter(f"{SVG}text")
    return {text.text or "" for text in texts if "code" in text.get("class", "").split()}


def test_the_picture_shows_every_dag_query_and_topic() -> None:
    shown = names_in_the_picture()
    assert {*DagId, *Query, *Topic} - shown == set()


def test_the_picture_shows_no_name_that_is_gone() -> None:
    known = {*DagId, *Query, *Topic, *Alias, "kpis"}
    assert names_in_the_picture() - known == set()
