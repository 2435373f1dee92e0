"""What a simulation is asked to do."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Final

from include.errors import ConfigurationError

MAX_RATE: Final = 50_000
MAX_CUSTOMERS: Final = 1_000_000


@dataclass(frozen=True)
class SimulationOptions:
    """Everything that decides which events are made: equal options give equal events, byte for byte.

    Attributes:
        start_ms: Time of the first event, milliseconds since 1970 UTC.
        rate: Events per second of the sender's time.
        duration: Seconds of the sender's time; None has no end.
        seed: Decides what happens in the shop. Who its customers are and what it sells is the same for every seed.
        acceleration: Seconds of the shop's time per second of the sender's.
        rhythm: Whether day and week shape the traffic; without, each second has the same number of events.
        customers: Size of the customer base; None takes what fits the rate.
        fraud: Share of visits that are fraud cases.
        late: Share of visits that reach the platform minutes to days after they happened.
        duplicates: Share of events that are sent twice.
        out_of_order: Share of events that are sent up to five seconds after younger ones.
        invalid: Share of events that break their contract.
    """

    start_ms: int
    rate: float = 50.0
    duration: float | None = None
    seed: int = 1
    acceleration: float = 1.0
    rhythm: bool = False
    customers: int | None = None
    fraud: float = 0.002
    late: float = 0.0
    duplicates: float = 0.0
    out_of_order: float = 0.0
    invalid: float = 0.0

    def __post_init__(self) -> None:
        _within("rate", self.rate, 1, MAX_RATE)
        if self.duration is not None:
            _within("duration", self.duration, 0.001, 366 * 86_400)
        _within("acceleration", self.acceleration, 0.001, 10_000_000)
        if self.customers is not None:
            _within("customers", self.customers, 10, MAX_CUSTOMERS)
        for name in ("fraud", "late", "duplicates", "out_of_order", "invalid"):
            _within(name, getattr(self, name), 0, 0.5)

    @property
    def population(self) -> int:
        """Number of customers: enough that a visit rarely has to wait for a customer who is not in the shop already."""
        return self.customers or int(min(200_000, max(2_000, self.rate * 10)))

    @property
    def event_rate(self) -> float:
        """Events per second of the shop's time."""
        return self.rate / self.acceleration

    @property
    def end(self) -> float:
        """Shop's time, in seconds since 1970, at which it closes."""
        if self.duration is None:
            return float("inf")
        return self.start_ms / 1000 + self.duration * self.acceleration

    @property
    def run_id(self) -> str:
        """Ten hexadecimal digits that begin all ids of the run: other options, other ids."""
        text = ",".join(f"{name}={value!r}" for name, value in asdict(self).items())
        return hashlib.sha256(text.encode()).hexdigest()[:10]


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        option = name.replace("_", "-")
        raise ConfigurationError(f"--{option}: must be from {low:g} to {high:g}, found {value:g}")
