"""What a server of the platform must have before others than this machine may reach it."""

from ipaddress import ip_address

from pydantic import SecretStr

from include.config import Settings
from include.errors import ConfigurationError


def listed(secret: SecretStr | None) -> list[str]:
    """The entries of a secret that holds several, separated by commas."""
    text = secret.get_secret_value() if secret else ""
    return [entry for part in text.split(",") if (entry := part.strip())]


def require_secret(settings: Settings, name: str, entries: list[str]) -> None:
    """Check that who listens beyond this machine asks for a secret.

    Raises:
        ConfigurationError: If it does not; names the setting.
    """
    if not entries and not _is_loopback(settings.platform_bind_host):
        raise ConfigurationError(
            f"PLATFORM_BIND_HOST is {settings.platform_bind_host}, which others can reach, and {name} is not set: "
            f"set {name} to one or more long random texts, separated by commas"
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
