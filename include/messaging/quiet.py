"""A logger for Kafka clients whose own lines nobody should read: one for each try while the broker is away."""

import logging


def silenced() -> logging.Logger:
    """A logger that writes nothing; what matters comes back as errors, and whoever called tells it once."""
    return logging.Logger("confluent_kafka (silenced)", logging.CRITICAL + 1)
