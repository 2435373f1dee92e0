"""Fraud rules as data: ``rules.yaml`` beside this module, or a file of the user's, checked before it is used."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from include.rules_file import read_rules_file

DEFAULT_RULES: Final = Path(__file__).with_name("rules.yaml")

# Of one customer or device so many sightings are looked at, and twice as many are remembered as a pattern may need.
MOST_OF_A_PATTERN: Final = 500

Money = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2)]
Code = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Severity = Literal["info", "warning", "critical"]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    severity: Severity
    score: float = Field(ge=0, le=1)


class UnusualAmount(_Rule):
    """An order far above what the customer usually pays."""

    times_usual: float = Field(gt=1)
    minimum_orders: int = Field(ge=1)
    minimum_amount: Money
    without_profile: Money


class AbsurdQuantity(_Rule):
    """More of one product than anybody needs."""

    quantity: int = Field(ge=2)


class MismatchedCountries(_Rule):
    """Bill and parcel go to different countries."""

    minimum_amount: Money
    neighbours: tuple[tuple[Code, Code], ...] = ()


class Blocked(_Rule):
    """Cards, devices and countries that must not buy."""

    cards: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    countries: tuple[Code, ...] = ()


class OrderVelocity(_Rule):
    """Many orders of one customer in a short time."""

    orders: int = Field(ge=2, le=MOST_OF_A_PATTERN)


class CardTesting(_Rule):
    """Many cards tried with small amounts on one device."""

    cards: int = Field(ge=2, le=MOST_OF_A_PATTERN)
    maximum_amount: Money


class DeviceSharing(_Rule):
    """One device used by many accounts."""

    users: int = Field(ge=2, le=MOST_OF_A_PATTERN)


class ImpossibleTravel(_Rule):
    """One customer in two places too far apart for the time between."""

    kilometres: float = Field(gt=0)


class AccountTakeover(_Rule):
    """A changed address, then a high order from another device."""

    minimum_amount: Money


class InstantRules(BaseModel):
    """Rules over one order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unusual_amount: UnusualAmount
    absurd_quantity: AbsurdQuantity
    mismatched_countries: MismatchedCountries
    blocked: Blocked


class PatternRules(BaseModel):
    """Rules over a window of event time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_minutes: int = Field(ge=1, le=120)
    late_minutes: int = Field(ge=1, le=120)
    order_velocity: OrderVelocity
    card_testing: CardTesting
    device_sharing: DeviceSharing
    impossible_travel: ImpossibleTravel
    account_takeover: AccountTakeover


class FraudRules(BaseModel):
    """Everything in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instant: InstantRules
    patterns: PatternRules


def load_rules(path: Path = DEFAULT_RULES) -> FraudRules:
    """Read and check a rules file.

    Raises:
        ConfigurationError: Naming each field that cannot be used, what was found and what is asked for.
    """
    return read_rules_file(path, FraudRules)
