"""How busy the shop is by hour and weekday, and when its events happen."""

from typing import Final

_HOURS: Final = (
    25,
    15,
    10,
    8,
    8,
    12,
    25,
    50,
    75,
    90,
    100,
    105,
    110,
    105,
    100,
    100,
    105,
    120,
    145,
    165,
    170,
    150,
    105,
    55,
)
_WEEKDAYS: Final = (95, 92, 94, 98, 105, 112, 118)
_MEAN: Final = sum(_HOURS) / len(_HOURS) * sum(_WEEKDAYS) / len(_WEEKDAYS)
_EPOCH_WEEKDAY: Final = 3  # 1970-01-01 was a Thursday


def busyness(time: float) -> float:
    """Traffic at a time, relative to the mean of a week; hours (UTC) melt into each other."""
    hour, part = divmod(time / 3600, 1)
    number = int(hour)
    return _at_hour(number) * (1 - part) + _at_hour(number + 1) * part


def _at_hour(number: int) -> float:
    day, hour = divmod(number, 24)
    return _HOURS[hour] * _WEEKDAYS[(day + _EPOCH_WEEKDAY) % 7] / _MEAN


class Slots:
    """Times at which the shop sends one event each."""

    def __init__(self, start: float, event_rate: float, rhythm: bool) -> None:
        self._start = start
        self._gap = 1 / event_rate
        self._rhythm = rhythm
        self._count = 0
        self._now = start

    def next(self) -> float:
        """The next slot, in seconds since 1970; the first one is the start."""
        if not self._rhythm:
            now = self._start + self._count * self._gap
            self._count += 1
            return now
        now = self._now
        self._now += self._gap / busyness(now)
        return now
