import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.config import PROJECT_ROOT, Settings
from include.local.artifacts import locked
from include.local.grafana import NO_MAIL, NO_SLACK
from include.names import PLATFORM, VERSION

COMPOSE_FILE = PROJECT_ROOT / "docker" / "docker-compose.yml"
README = (PROJECT_ROOT / "docker" / "README.md").read_text(encoding="utf-8")
TEXT = COMPOSE_FILE.read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]

VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?:(:-|:\?|:\+)([^}]*))?\}")
PUBLISHED = re.compile(r"^\$\{PLATFORM_BIND_HOST:-127\.0\.0\.1\}:\$\{(\w+):-(\d+)\}:\d+$")

every_service = pytest.mark.parametrize("name", SERVICES)


def is_task(name: str) -> bool:
    return bool(SERVICES[name]["restart"] == "no")


def default_text(variable: str) -> str:
    value = Settings.model_fields[variable.lower()].default
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_the_file_follows_the_compose_specification() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE_FILE)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@every_service
def test_images_have_a_pinned_version(name: str) -> None:
    repository, _, tag = SERVICES[name]["image"].partition(":")
    assert re.fullmatch(r"\d+(\.\d+)+", tag), f"{name}: the image {repository} has the tag {tag!r}, not a full version"


def test_own_images_carry_the_version_of_the_platform() -> None:
    tags = {SERVICES[name]["image"].partition(":")[2] for name in SERVICES if "build" in SERVICES[name]}
    assert tags == {VERSION}
    assert COMPOSE["name"] == PLATFORM


@pytest.mark.parametrize(
    ("service", "artifact"),
    [
        ("kafka", "org.apache.kafka:kafka_2.13"),
        ("elasticsearch", "org.elasticsearch.distribution.integ-test-zip:elasticsearch"),
    ],
)
def test_servers_have_the_version_of_the_local_platform(service: str, artifact: str) -> None:
    versions = {entry.coordinate.split(":")[2] for entry in locked() if entry.coordinate.startswith(f"{artifact}:")}
    assert versions == {SERVICES[service]["image"].partition(":")[2]}


@every_service
def test_names_of_containers_are_left_to_compose(name: str) -> None:
    assert "container_name" not in SERVICES[name]


@every_service
def test_published_ports_are_on_loopback_and_have_the_number_of_the_setting(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        match = PUBLISHED.match(port)
        assert match, f"{name}: write {port} as ${{PLATFORM_BIND_HOST:-127.0.0.1}}:${{SETTING:-default}}:port"
        assert match[2] == default_text(match[1])


def test_every_server_of_the_settings_is_published() -> None:
    published = {PUBLISHED.sub(r"\1", port) for name in SERVICES for port in SERVICES[name].get("ports", [])}
    assert published == {
        "KAFKA_PORT",
        "ELASTICSEARCH_PORT",
        "SPARK_UI_PORT",
        "SPARK_BACKGROUND_UI_PORT",
        "AIRFLOW_PORT",
        "GRAFANA_PORT",
        "API_PORT",
        "PROMETHEUS_PORT",
    }


def test_defaults_of_settings_are_those_of_the_platform() -> None:
    stated = {(name, default) for name, kind, default in VARIABLE.findall(TEXT) if kind == ":-"}
    # Grafana's contact points must have an address.
    stated -= {("SLACK_WEBHOOK_URL", NO_SLACK), ("ALERT_EMAIL_TO", NO_MAIL)}
    known = {(name, default) for name, default in stated if name.lower() in Settings.model_fields}
    assert known == {(name, default_text(name)) for name, _ in known}


def test_every_variable_is_a_setting_or_explained_in_the_readme() -> None:
    others = {name for name, _, _ in VARIABLE.findall(TEXT) if name.lower() not in Settings.model_fields}
    assert {name for name in others if f"`{name}`" not in README} == set()


def test_secrets_are_required_and_have_no_default() -> None:
    kinds = {name: kind for name, kind, _ in VARIABLE.findall(TEXT) if name.endswith(("_KEY", "_SECRET", "_PASSWORD"))}
    # Without a mail server there is no password for it.
    assert kinds.pop("SMTP_PASSWORD") == ":-"
    assert kinds
    assert set(kinds.values()) == {":?"}


def test_the_readme_makes_every_required_secret() -> None:
    required = {name for name, kind, _ in VARIABLE.findall(TEXT) if kind == ":?"}
    commands = README.partition("```bash")[2].partition("```")[0]
    assert {name for name in required if name not in commands} == set()


def test_containers_get_settings_that_exist() -> None:
    assert {name for name in COMPOSE["x-settings"] if name.lower() not in Settings.model_fields} == set()


@every_service
def test_services_run_with_few_rights_and_limited_resources(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
    assert "privileged" not in service


@every_service
def test_long_running_services_say_whether_they_are_healthy(name: str) -> None:
    check = SERVICES[name].get("healthcheck", {})
    assert is_task(name) or check.get("test") or check.get("disable"), f"{name}: add a healthcheck"


@every_service
def test_services_wait_for_services_that_can_reach_the_condition(name: str) -> None:
    for target, wait in SERVICES[name].get("depends_on", {}).items():
        assert target in SERVICES, f"{name} waits for {target}, which does not exist"
        if wait["condition"] == "service_healthy":
            assert SERVICES[target]["healthcheck"]["test"]
        else:
            assert wait["condition"] == "service_completed_successfully"
            assert is_task(target)


@every_service
def test_mounts_exist_or_are_declared(name: str) -> None:
    for mount in SERVICES[name].get("volumes", []):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (COMPOSE_FILE.parent / source).exists(), f"{name}: {source} does not exist"
            assert mount.endswith(":ro"), f"{name}: the repository is mounted read-only, {mount} is not"
        else:
            assert source in COMPOSE["volumes"], f"{name}: the volume {source} is not declared"


def test_every_volume_and_network_is_used() -> None:
    mounted = {mount.split(":")[0] for name in SERVICES for mount in SERVICES[name].get("volumes", [])}
    joined = {network for name in SERVICES for network in SERVICES[name]["networks"]}
    assert set(COMPOSE["volumes"]) <= mounted
    assert set(COMPOSE["networks"]) == joined


@every_service
def test_what_publishes_a_port_is_on_the_network_with_a_way_out(name: str) -> None:
    # A network that is internal does not carry published ports.
    assert "ports" not in SERVICES[name] or "edge" in SERVICES[name]["networks"]


def commands_of_the_platform() -> list[str]:
    spoken = [" ".join(SERVICES[name].get("command", [])) for name in SERVICES]
    return sorted(
        {command for text in spoken for command in re.findall(r"main\.py ((?:[a-z][a-z-]*)(?: create)?)", text)}
    )


@pytest.mark.parametrize("command", commands_of_the_platform())
def test_commands_of_the_platform_exist(command: str) -> None:
    call = [sys.executable, "main.py", *command.split(), "--help"]
    answer = subprocess.run(call, capture_output=True, text=True, check=False, timeout=60, cwd=PROJECT_ROOT)
    assert answer.returncode == 0, answer.stderr


def test_the_folders_of_the_data_are_those_of_the_image() -> None:
    dockerfile = Path(PROJECT_ROOT / "docker" / "platform" / "Dockerfile").read_text(encoding="utf-8")
    targets = {
        mount.split(":")[1]
        for name in SERVICES
        if "build" in SERVICES[name]
        for mount in SERVICES[name].get("volumes", [])
    }
    # A named volume takes its owner from the image's folder: without it, root would own the volume.
    created = re.search(r"install --directory .*", dockerfile)
    assert created
    assert targets <= set(created[0].split())
