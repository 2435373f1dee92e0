from pathlib import Path

import pytest

from include.errors import ConfigurationError
from include.fraud.rules import DEFAULT_RULES, load_rules


def changed(folder: Path, old: str, new: str) -> Path:
    text = DEFAULT_RULES.read_text(encoding="utf-8")
    assert old in text
    path = folder / "rules.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_shipped_rules_are_valid_and_all_on() -> None:
    rules = load_rules()
    for group in (rules.instant, rules.patterns):
        switches = [
            getattr(group, name).enabled
            for name in type(group).model_fields
            if hasattr(getattr(group, name), "enabled")
        ]
        assert switches
        assert all(switches)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("orders: 6", "orders: 1", "patterns.order_velocity.orders"),
        ("score: 0.95", "score: 3", "patterns.card_testing.score"),
        ("severity: warning", "severity: loud", "instant.absurd_quantity.severity"),
        ("quantity: 100", "quantitty: 100", "instant.absurd_quantity.quantitty"),
        ("countries: []", "countries: [Germany]", "instant.blocked.countries.0"),
    ],
)
def test_a_wrong_line_is_named_with_what_was_found(tmp_path: Path, old: str, new: str, field: str) -> None:
    with pytest.raises(ConfigurationError, match=field.replace(".", r"\.")) as caught:
        load_rules(changed(tmp_path, old, new))
    assert "found" in str(caught.value)


def test_a_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("instant: [", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.yaml: cannot be read as YAML"):
        load_rules(path)
