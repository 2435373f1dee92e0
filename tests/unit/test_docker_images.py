import configparser
import importlib.util
import os
import re
import shlex
from pathlib import Path

import pytest
import yaml

from include.config import PROJECT_ROOT
from include.supervision.shares import PARTS, Share

DOCKER = PROJECT_ROOT / "docker"
DOCKERFILE = DOCKER / "platform" / "Dockerfile"
INSTRUCTIONS = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
COMPOSE = yaml.safe_load((DOCKER / "docker-compose.yml").read_text(encoding="utf-8"))
SUPERVISORD_CONF = DOCKER / "speed-layer" / "supervisord.conf"


def copied_paths() -> list[str]:
    copies = [shlex.split(line)[1:-1] for line in INSTRUCTIONS if line.startswith("COPY ")]
    return sorted({source for sources in copies for source in sources})


def pins(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([A-Za-z0-9_.-]+)==(\S+)", line) for line in lines)
    return {match[1].lower(): match[2] for match in found if match}


def supervised() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    parser.read(SUPERVISORD_CONF, encoding="utf-8")
    return parser


@pytest.mark.parametrize("source", copied_paths())
def test_what_is_copied_exists_and_is_not_ignored(source: str) -> None:
    assert (PROJECT_ROOT / source).exists(), f"COPY {source}: no such path in the repository"
    ignore = (DOCKER / "platform" / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    kept = [line.removeprefix("!") for line in ignore if line.startswith("!")]
    assert any(source == path or source.startswith(f"{path}/") for path in kept), f"{source} is not in the context"


def test_every_build_names_a_stage_of_the_dockerfile() -> None:
    stages = {line.split()[-1] for line in INSTRUCTIONS if line.startswith("FROM ")}
    builds = [service["build"] for service in COMPOSE["services"].values() if "build" in service]
    assert {build["target"] for build in builds} == stages
    for build in builds:
        context = (DOCKER / build["context"]).resolve()
        assert context == PROJECT_ROOT
        assert context / build["dockerfile"] == DOCKERFILE


def test_every_stage_ends_as_a_user_without_rights() -> None:
    text = "\n".join(INSTRUCTIONS)
    for stage in text.split("FROM ")[1:]:
        assert re.findall(r"^USER (\w+)", stage, flags=re.MULTILINE)[-1] == "platform"


def test_the_base_image_is_pinned_to_the_python_of_the_project() -> None:
    base = next(line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM "))
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base)
    homes = {
        word for service in COMPOSE["services"].values() for word in service.get("command", []) if "pyspark" in word
    }
    spark_home = next(re.findall(r"SPARK_HOME=(\S+)", line)[0] for line in INSTRUCTIONS if "SPARK_HOME=" in line)
    assert homes == {f"{spark_home}/bin/spark-class"}


def test_what_airflow_needs_for_postgres_is_pinned_and_adds_to_the_lock() -> None:
    path = DOCKER / "airflow" / "requirements-extra.txt"
    extra = pins(path)
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert len(extra) == len(lines), "pin every line of requirements-extra.txt with =="
    assert extra.keys() & pins(PROJECT_ROOT / "requirements.txt").keys() == set()


def test_the_supervisor_runs_the_drivers_under_their_names() -> None:
    assert {f"program:{part.value}" for part in PARTS.values()} <= set(supervised().sections())
    environment = COMPOSE["services"]["speed-layer"]["environment"]
    used = set(re.findall(r"%\(ENV_(\w+)\)s", SUPERVISORD_CONF.read_text(encoding="utf-8")))
    given_by_image = set(re.findall(r"(\w+)=", " ".join(line for line in INSTRUCTIONS if line.startswith("ENV "))))
    assert used <= environment.keys() | given_by_image


@pytest.mark.parametrize("share", list(Share))
def test_the_supervisor_starts_files_that_exist(share: Share) -> None:
    command = supervised()[f"program:{PARTS[share].value}"]["command"]
    paths = [word.removeprefix("/opt/platform/") for word in command.split() if word.startswith("/opt/platform/")]
    assert len(paths) == 2
    assert [path for path in paths if not (PROJECT_ROOT / path).is_file()] == []
    assert f"--share {share}" in " ".join(command.split())


def test_airflow_knows_the_address_of_the_supervisor() -> None:
    server = supervised()["inet_http_server"]
    port = server["port"].removeprefix("*:")
    url = COMPOSE["x-airflow-environment"]["SUPERVISOR_URL"]
    assert re.sub(r"\$\{.*?\}", "SECRET", url) == f"http://{server['username']}:SECRET@speed-layer:{port}"
    assert server["password"] == "%(ENV_SUPERVISOR_PASSWORD)s"
    assert "ports" not in COMPOSE["services"]["speed-layer"] or not any(
        published.endswith(f":{port}") for published in COMPOSE["services"]["speed-layer"]["ports"]
    )


def test_the_init_script_can_be_run_and_calls_modules_that_exist() -> None:
    script = PROJECT_ROOT / COMPOSE["services"]["airflow-init"]["command"][0]
    assert os.access(script, os.X_OK)
    modules = re.findall(r"python -m ([\w.]+)", script.read_text(encoding="utf-8"))
    assert modules
    assert [module for module in modules if importlib.util.find_spec(module) is None] == []
