"""What is written from the contracts: the suites' structural part, the index's fields, the reference page."""

from dataclasses import dataclass

from include.contracts.columns import conformed_columns
from include.contracts.reference import PAGE, page, write_page
from include.contracts.registry import load_contracts
from include.contracts.rules import checks_of
from include.names import SILVER_BY_TOPIC, Alias
from include.quality.structure import regenerate_all, regenerated
from include.quality.suite import suite_path
from include.serving.events_mapping import complete_template, missing_fields

COMMAND = "python main.py contracts generate"


@dataclass(frozen=True)
class Derived:
    """A file that is written from the contracts.

    Attributes:
        path: The file, below the root of the repository.
        is_stale: Whether it says something else than the contracts do.
    """

    path: str
    is_stale: bool


def require_sound() -> None:
    """Check that the contracts can be used, each alone and all together.

    Raises:
        ConfigurationError: If not; names the contract or the field, and the mend.
    """
    for contract in load_contracts():
        checks_of(contract)
    conformed_columns()


def derived() -> list[Derived]:
    """Every file that is written from the contracts, and whether it still fits them."""
    suites = [
        Derived(f"expectations/{path.name}", path.read_text(encoding="utf-8") != regenerated(table))
        for table in SILVER_BY_TOPIC.values()
        for path in (suite_path(table),)
    ]
    page_is_stale = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page()
    template = f"include/serving/index_templates/{Alias.EVENTS.value}.json"
    return [*suites, Derived(template, bool(missing_fields())), Derived("docs/events.md", page_is_stale)]


def generate() -> list[str]:
    """Write all of them anew; returns those that changed."""
    require_sound()
    stale = [one.path for one in derived() if one.is_stale]
    regenerate_all()
    complete_template()
    write_page()
    return stale
