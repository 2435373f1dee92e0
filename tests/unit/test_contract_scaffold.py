"""Adding an event type, done as CONTRIBUTING.md says, in a copy of the repository."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.config import PROJECT_ROOT
from include.contracts.scaffold import NewFamily, as_family, in_family
from include.errors import ConfigurationError

COPIED = ("include", "spark_jobs", "expectations", "docs", "tests", "main.py", "pyproject.toml", "CONTRIBUTING.md")
# What a contract touches; the whole tier would only run itself again.
TOUCHED = ("contracts", "quality_suite", "indices", "names")


def run(folder: Path, *command: str) -> str:
    # The copy imports its own modules, not those of the checkout that runs the tests.
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def commands_of_the_section() -> list[list[str]]:
    text = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("\n## Add an event type\n")[1].split("\n## ")[0]
    block = re.search(r"```bash\n(.*?)```", section, re.DOTALL)
    assert block is not None
    return [line.removeprefix("python ").split() for line in block[1].splitlines()]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for name in COPIED:
        source = PROJECT_ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def test_the_section_add_an_event_type_does_what_it_says(copy: Path) -> None:
    compared, wishlist, example = commands_of_the_section()
    assert "include/contracts/user_event.v1.json" in run(copy, *compared)
    assert "expectations/silver.wishlists.json" in run(copy, *wishlist)
    event = json.loads(run(copy, *example))
    assert (event["event_type"], sorted(event)[-2:]) == ("wishlist_added", ["schema_version", "user_id"])
    assert "product_id" in event
    tests = [f"tests/unit/test_{name}.py" for name in TOUCHED]
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    run(copy, "-m", "ruff", "format", "--check", "include/names.py")
    said = run(
        copy,
        "-c",
        "from include.contracts.columns import conformed_columns\n"
        "from include.names import SILVER_BY_TOPIC, Topic\n"
        "print(*{c.name: c.sources for c in conformed_columns()}['note'], SILVER_BY_TOPIC[Topic.WISHLISTS])",
    )
    assert said.split() == ["wishlists", "silver.wishlists"]
    assert ">wishlists</text>" in (copy / "docs" / "images" / "architecture.svg").read_text(encoding="utf-8")
    page = (copy / "docs" / "events.md").read_text(encoding="utf-8")
    assert "| `note` | string | `note` string | at most 500 characters |" in page
    assert "| `compared_with` | string |" in page


def test_a_change_that_does_not_fit_together_is_taken_back(copy: Path) -> None:
    before = {path: path.read_bytes() for path in copy.rglob("*.json")}
    done = subprocess.run(
        [sys.executable, "main.py", "contracts", "new", "shelf_seen", "--topic", "shelves", "--field", "text_id:moon"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "no kind 'moon', choose one of id, person" in done.stderr) == (1, True)
    # A version that contradicts another: only seen when all contracts are read together.
    broken = copy / "include" / "contracts" / "purchase.v2.json"
    broken.write_text(
        broken.with_name("purchase.v1.json")
        .read_text()
        .replace('"number", "minimum": -90', '"integer", "minimum": -90')
    )
    done = subprocess.run(
        [sys.executable, "main.py", "contracts", "new", "login_failed", "--family", "user_event"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    broken.unlink()
    assert done.returncode == 1
    assert (
        "nothing was changed: error: purchase.v2: latitude is int, but the column latitude of other events is double"
        in (" ".join(done.stderr.split()))
    )
    assert {path: path.read_bytes() for path in copy.rglob("*.json")} == before


@pytest.mark.parametrize(
    ("family", "event_type", "fields", "needs", "named"),
    [
        ("purchases", "x_y", {}, [], "no family 'purchases': choose one of customer_feedback"),
        ("user_event", "login", {}, [], "login is an event type of user_event already"),
        ("user_event", "Wish", {}, [], "event type 'Wish': write it as"),
        ("user_event", "wish", {}, ["produkt"], "--needs produkt: the contract has no such field"),
        ("user_event", "wish", {"page": "text"}, [], "field page is in the contract already"),
    ],
)
def test_what_cannot_be_added_is_refused_with_the_mend(
    family: str, event_type: str, fields: dict[str, str], needs: list[str], named: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(named)):
        in_family(family, event_type, fields, needs)


def test_a_family_that_is_there_is_not_made_again() -> None:
    with pytest.raises(ConfigurationError, match="purchases is there already"):
        as_family(NewFamily("order", "purchases", "user_id"), "order_seen", {}, [])
