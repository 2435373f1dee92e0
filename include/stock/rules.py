"""Rules of the stock as data: ``rules.yaml`` beside this module, or a file of the user's, checked before it is used."""

from collections import Counter
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.alerting.alert import Severity
from include.rules_file import read_rules_file

DEFAULT_RULES: Final = Path(__file__).with_name("rules.yaml")

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Units = Annotated[int, Field(ge=0)]


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Low(_Rules):
    """When a shelf is low."""

    units: Units
    hours: float | None = Field(None, gt=0)
    products: dict[Name, Units] = Field(default_factory=dict)

    def units_of(self, product: str) -> int:
        """The level at which a product is low."""
        return self.products.get(product, self.units)


class Severities(_Rules):
    """How much each state of a shelf matters."""

    low: Severity
    out: Severity
    oversold: Severity


class StockRules(_Rules):
    """Everything in the file."""

    warehouses: dict[Name, tuple[Country, ...]]
    elsewhere: Name | None = None
    low: Low
    severity: Severities

    @model_validator(mode="after")
    def _each_country_once(self) -> "StockRules":
        uses = Counter(country for countries in self.warehouses.values() for country in countries)
        twice = sorted(country for country, count in uses.items() if count > 1)
        if twice:
            raise ValueError(f"warehouses: {', '.join(twice)} would be served by more than one warehouse; name it once")
        return self


def load_rules(path: Path = DEFAULT_RULES) -> StockRules:
    """Read and check a rules file.

    Raises:
        ConfigurationError: Naming each field that cannot be used, what was found and what is asked for.
    """
    return read_rules_file(path, StockRules)
