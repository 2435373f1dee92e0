"""Whom a client of HTTPS believes."""

import ssl
from pathlib import Path

from include.errors import ConfigurationError


def trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    """For ``httpx``: an authority of one's own, or with None the well-known ones.

    Raises:
        ConfigurationError: If the file holds no certificate.
    """
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"{ca_file} holds no certificate in PEM format ({error.reason}); convert it with openssl"
        ) from error
