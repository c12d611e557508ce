"""Dockerfile, compose files, systemd units and cron lines, tried without a container."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import pytest

from freqtrade_mem0.cli.main import main
from tests.support.containers import COMPOSE_FILES, ROOT, services, words
from tests.support.doc_commands import blocks, typed
from tests.support.service_process import PROGRAM, ServiceProcess, environment
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

GIVEN = {"MEM0_DB_PASSWORD": "s3cret", "STRATEGY": "MyStrategyMem0"}
OURS = [
    (file, name)
    for file in COMPOSE_FILES
    for name in services(file, GIVEN)
    if name in {"bot", "mem0"}
]
SYSTEMD = ROOT / "docs" / "how-to" / "run-under-systemd.md"


def run(
    command: Sequence[str], folder: Path = ROOT, variables: Mapping[str, str] = GIVEN
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )


def has_compose() -> bool:
    """Return whether Docker's command line with its compose is there."""
    return bool(shutil.which("docker")) and run(["docker", "compose", "version"]).returncode == 0


@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_a_compose_file_is_valid(file: str) -> None:
    """By the published schema."""
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = run([*checker, file])
    assert done.returncode == 0, done.stdout


@pytest.mark.skipif(not has_compose(), reason="docker compose is not installed")
@pytest.mark.parametrize("file", COMPOSE_FILES)
def test_docker_accepts_a_compose_file(file: str) -> None:
    """As `docker compose` itself reads it; no container is started."""
    done = run(["docker", "compose", "-f", file, "config", "--quiet"])
    assert done.returncode == 0, done.stderr


def test_the_compose_files_have_the_services_that_people_name() -> None:
    """A bot, the service and PostgreSQL; and the four names of a stack with workflows."""
    assert set(services("docker-compose.yml", GIVEN)) == {"bot", "mem0", "postgres"}
    assert set(services("docker-compose.n8n.yml", {})) == {"mem0", "qdrant", "n8n", "controller"}
    with pytest.raises(KeyError, match="MEM0_DB_PASSWORD"):
        services("docker-compose.yml", {})


@pytest.mark.parametrize(("file", "name"), OURS)
def test_a_container_of_ours_can_do_little(file: str, name: str) -> None:
    """Read-only, without capabilities, one folder of the machine, ports of this machine alone."""
    container = services(file, GIVEN)[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["volumes"] == ["./user_data:/freqtrade/user_data"]
    assert all(port.startswith("127.0.0.1:") for port in container["ports"])


def test_the_image_has_no_secret_and_no_root() -> None:
    """Only what is named is copied; the last user has no rights."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    from_here = [each for each in copied if not each.startswith(("--", "/"))]
    assert [line for line in lines if line.startswith("USER")][-1] == "USER ftuser"
    assert sorted(from_here) == sorted(each[1:] for each in allowed if each.startswith("!"))
    assert "*" in allowed


@pytest.mark.parametrize(("file", "name"), OURS)
def test_the_variables_of_a_container_are_a_valid_config(
    file: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read as Freqtrade reads them; nothing is asked yet."""
    for key, value in services(file, GIVEN)[name]["environment"].items():
        monkeypatch.setenv(key, value)
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["keys", "list", "-c", "config.json"]) == 0


def test_the_service_starts_as_its_container_does(tmp_path: Path) -> None:
    """The same command and variables; healthy by its own check; writes to `user_data` alone."""
    container = services("docker-compose.yml", GIVEN)["mem0"]
    home, user_data = tmp_path / "home", tmp_path / "freqtrade" / "user_data"
    home.mkdir()
    user_data.mkdir(parents=True)
    config = {"mem0": {"service": {"maintain_hours": None}}}
    (user_data / "config.json").write_text(json.dumps(config), encoding="utf-8")
    away = {"DATABASE_URL": "postgresql://mem0:s3cret@127.0.0.1:9/mem0", "HOME": str(home)}
    variables = container["environment"] | away | {"PYTHONDONTWRITEBYTECODE": "1"}
    command = words(container["command"])
    made = run(
        [*PROGRAM, "keys", "add", "--role", "reader", "-c", "user_data/config.json"],
        user_data.parent,
        {**environment(), **variables},
    )
    assert made.returncode == 0, made.stderr

    with ServiceProcess.of(command[1:], user_data.parent, variables) as service:
        check = words(container["healthcheck"]["test"])
        done = run(
            [sys.executable, *(each.replace("8080", str(service.port)) for each in check[1:])]
        )
        assert done.returncode == 0, done.stderr
        for host, status in (("mem0:8080", 200), ("elsewhere:8080", 421)):
            answer = httpx.get(f"{service.url}/health", headers={"Host": host}, timeout=HANG_S)
            assert answer.status_code == status
        assert service.stop() == 0
    assert list(home.iterdir()) == []
    assert list(user_data.parent.iterdir()) == [user_data]
    assert (user_data / "mem0" / "service.sqlite").is_file()


def units() -> dict[str, str]:
    """Return the systemd units of the page by the files they are for."""
    page = SYSTEMD.read_text(encoding="utf-8")
    names = re.findall(r"`/etc/systemd/system/([\w-]+\.service)`", page)
    return dict(
        zip(names, re.findall(r"^```ini\n(.*?)^```", page, re.MULTILINE | re.DOTALL), strict=True)
    )


@pytest.mark.parametrize("name", units())
def test_a_unit_is_hardened(name: str) -> None:
    """It writes to one folder; its command is one that our programs accept."""
    unit = configparser.RawConfigParser()
    unit.optionxform = lambda key: key  # type: ignore[method-assign, assignment]
    unit.read_string(units()[name])
    service = unit["Service"]
    assert service["User"] == "freqtrade"
    assert service["ReadWritePaths"] == "/srv/freqtrade/user_data"
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "true"
    assert service["CapabilityBoundingSet"] == ""
    assert typed(f"ExecStart={service['ExecStart']}") is not None


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("name", units())
def test_systemd_accepts_a_unit(name: str, tmp_path: Path) -> None:
    """`systemd-analyze` finds no fault, and an exposure of at most 3 of 10."""
    programs = tmp_path / "freqtrade" / ".venv" / "bin"
    programs.mkdir(parents=True)
    for program in ("freqtrade", "freqtrade-mem0"):
        (programs / program).symlink_to(sys.executable)
    text = units()[name].replace("/srv/freqtrade", str(tmp_path / "freqtrade"))
    (tmp_path / name).write_text(text.replace("User=freqtrade", "User=daemon"), encoding="utf-8")
    done = run(["systemd-analyze", "verify", str(tmp_path / name)])
    assert (done.returncode, done.stderr) == (0, "")
    done = run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(tmp_path / name)]
    )
    assert done.returncode == 0, done.stdout


def test_cron_lines_go_to_a_folder_and_run_a_command() -> None:
    """Five fields, the folder of the bot, one of our commands with the config of that folder."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    lines = [
        line.strip()
        for page in pages
        for block in blocks(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if re.match(r"\s*(?:[\d*/,-]+\s+){5}\S", line)
    ]
    assert len(lines) > 2
    for line in lines:
        command = typed(line)
        assert command is not None, line
        assert re.search(r" cd /\S+ && \.venv/bin/freqtrade-mem0 ", line), line
        assert command.arguments[-2:] == ("-c", "user_data/config.json"), line
