"""What tests of log-in and encryption need: an authority, a broker that asks who comes, a way in that is encrypted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from fastapi import FastAPI, Request, Response

from include.config import Settings
from include.local.kafka import KafkaBroker
from include.local.ports import find_free
from tests.integration.conftest import data_folder, running, settings_in
from tests.integration.web_server import served

HOST = "127.0.0.1"
_OF_THE_CONNECTION = frozenset({"host", "content-length", "content-encoding", "transfer-encoding", "connection"})
USER, PASSWORD = "platform", 'a "quoted\\" password'


@dataclass(frozen=True)
class Certificate:
    """PEM files: a certificate with its chain, its key, and both in one."""

    chain: Path
    key: Path
    both: Path


class Authority:
    """Signs certificates and writes them to a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ca = trustme.CA()
        self.file = folder / "authority.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, name: str) -> Certificate:
        """For the loopback address, and for a client of this name."""
        issued = self._ca.issue_cert(HOST, "localhost", common_name=name)
        files = Certificate(*(self._folder / f"{name}.{kind}.pem" for kind in ("chain", "key", "both")))
        chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        # Java reads PKCS 8 only.
        key = load_pem_private_key(issued.private_key_pem.bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        files.chain.write_bytes(chain)
        files.key.write_bytes(key)
        files.both.write_bytes(key + chain)
        return files


@dataclass(frozen=True)
class SecuredBroker:
    """Three ways into one broker: `open` for the tests' own doings, with a password, and with a certificate."""

    open: Settings
    login_port: int
    certificate_port: int
    authority: Authority

    @property
    def with_password(self) -> Settings:
        """As a user with a password, encrypted."""
        return Settings(
            _env_file=None,
            platform_data_dir=self.open.platform_data_dir,
            kafka_bootstrap_servers=f"{HOST}:{self.login_port}",
            kafka_security_protocol="SASL_SSL",
            kafka_username=USER,
            kafka_password=PASSWORD,
            kafka_ca_file=self.authority.file,
        )

    def with_certificate(self, name: str) -> Settings:
        """As who the certificate says."""
        mine = self.authority.issue(name)
        return Settings(
            _env_file=None,
            platform_data_dir=self.open.platform_data_dir,
            kafka_bootstrap_servers=f"{HOST}:{self.certificate_port}",
            kafka_security_protocol="SSL",
            kafka_ca_file=self.authority.file,
            kafka_certificate_file=mine.chain,
            kafka_key_file=mine.key,
        )

    def allow(self, user: str, topic: str, *operations: AclOperation) -> None:
        """Let a user do something with a topic."""
        admin = AdminClient({"bootstrap.servers": self.open.bootstrap_servers})
        allowed = [
            AclBinding(
                ResourceType.TOPIC,
                topic,
                ResourcePatternType.LITERAL,
                f"User:{user}",
                "*",
                operation,
                AclPermissionType.ALLOW,
            )
            for operation in operations
        ]
        for done in admin.create_acls(allowed).values():
            done.result(30)


@contextmanager
def secured_broker() -> Iterator[SecuredBroker]:
    """A broker with TLS, a user with a password, certificates of clients, and rights."""
    with data_folder() as folder:
        settings = settings_in(folder)
        authority = Authority(folder)
        login_port, certificate_port = find_free(2)
        broker = KafkaBroker(settings)
        broker.prepare()
        config = folder / "kafka" / "server.properties"
        server = authority.issue("broker")
        config.write_text(_secured(config.read_text(), settings, login_port, certificate_port, authority, server))
        with running(broker.program(), broker, settings.log_dir):
            _make_user(settings)
            yield SecuredBroker(settings, login_port, certificate_port, authority)


def _secured(
    text: str, settings: Settings, login_port: int, certificate_port: int, authority: Authority, server: Certificate
) -> str:
    plain = f"PLAINTEXT://{HOST}:{settings.kafka_port}"
    doors = f"{plain},SASL_SSL://{HOST}:{login_port},SSL://{HOST}:{certificate_port}"
    kinds = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT"
    lines = (
        "sasl.enabled.mechanisms=SCRAM-SHA-512",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config="
        "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        "ssl.keystore.type=PEM",
        f"ssl.keystore.location={server.both}",
        "ssl.truststore.type=PEM",
        f"ssl.truststore.location={authority.file}",
        "listener.name.ssl.ssl.client.auth=required",
        "ssl.principal.mapping.rules=RULE:^.*CN=([^,]+).*$/$1/,DEFAULT",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        # The open door is the tests' own.
        f"super.users=User:ANONYMOUS;User:{USER}",
    )
    opened = text.replace(plain, doors).replace(kinds, f"{kinds},SASL_SSL:SASL_SSL,SSL:SSL")
    return opened + "\n".join(lines) + "\n"


def _make_user(settings: Settings) -> None:
    admin = AdminClient({"bootstrap.servers": settings.bootstrap_servers})
    credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    wanted = UserScramCredentialUpsertion(USER, credential, PASSWORD.encode())
    for done in admin.alter_user_scram_credentials([wanted]).values():
        done.result(30)


@contextmanager
def encrypted(url: str, server: Certificate) -> Iterator[str]:
    """An address with TLS whose requests go on to a server that has none of its own."""
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "HEAD", "POST", "PUT", "DELETE"])
    async def pass_on(request: Request, path: str) -> Response:
        headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_CONNECTION}
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            answer = await client.request(
                request.method, f"/{path}", params=request.query_params, content=await request.body()
            )
        kept = {name: value for name, value in answer.headers.items() if name not in _OF_THE_CONNECTION}
        return Response(answer.content, answer.status_code, kept)

    with served(app, certificate=server.chain, key=server.key) as address:
        yield address
