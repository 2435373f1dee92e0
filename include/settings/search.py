"""Elasticsearch."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from include.settings.ports import Port


class SearchSettings(BaseSettings):
    """The local node, or the address of a cluster and the way in."""

    elasticsearch_port: Port = Field(9200, description="HTTP port of the local Elasticsearch.")
    elasticsearch_transport_port: Port = Field(9300, description="Transport port of the local Elasticsearch.")
    elasticsearch_url: str | None = Field(
        None,
        pattern=r"^https?://[^,\s]+(,https?://[^,\s]+)*$",
        description="Elasticsearch to use; several nodes of a cluster are separated by commas. Default: the local one.",
    )
    elasticsearch_heap: str = Field("1g", pattern=r"^\d+[mg]$", description="Heap of the local Elasticsearch.")
    elasticsearch_api_key: SecretStr | None = Field(None, description="API key, where Elasticsearch asks for one.")
    index_keep_hours: int = Field(
        24, ge=1, le=8760, description="Hours that an index stays after another took its place, for the way back."
    )
    health_keep_days: int = Field(14, ge=1, le=3650, description="Days that observations of the platform are kept.")

    elasticsearch_ca_file: Path | None = Field(
        None, description="PEM file of the authority that signed Elasticsearch's certificate. Default: the known ones."
    )
