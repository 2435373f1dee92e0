"""Where things are."""

import os
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import BaseSettings

from include.names import PLATFORM

PROJECT_ROOT: Final = Path(__file__).resolve().parents[2]


def _default_cache_dir() -> Path:
    return Path("/var/cache" if os.geteuid() == 0 else "~/.cache") / PLATFORM


class PlaceSettings(BaseSettings):
    """Folders, and the address that servers listen on."""

    platform_data_dir: Path = Field(PROJECT_ROOT / "data", description="Data, logs and state of the local platform.")
    platform_cache_dir: Path = Field(
        default_factory=_default_cache_dir,
        description="Downloaded jars and servers, shared by checkouts. Default: ~/.cache/realtime-data-platform "
        "(as root /var/cache/realtime-data-platform, since Elasticsearch runs as another user then).",
    )
    platform_bind_host: str = Field("127.0.0.1", description="Address that every server listens on.")
    lake_uri: str | None = Field(
        None, description="Root of the Delta tables: a folder or an s3a:// address. Default: lake/ in the data folder."
    )

    platform_secrets_dir: Path | None = Field(
        None,
        description="Folder with a file for each secret, named as its variable in small letters (kafka_password), as "
        "Docker and Kubernetes mount them. Variables win. Read from the environment, not from .env.",
    )
    java_home: Path | None = Field(None, description="Java 17 or newer. Default: the java on the PATH.")
