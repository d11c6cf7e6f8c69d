"""The image without Docker: the Dockerfile's steps, performed in one folder for each stage.

A virtual environment replaces the Python of the base image, and no user is created. This finds a file that COPY
misses, a package that the wheel lacks, a version that does not exist and a misspelt command. It does not find a base
image or a system library that does not exist.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import venv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

BASE_IMAGE = re.compile(r"python:3\.\d+-slim\b.*")
NEEDS_ROOT = ("useradd", "chown")
"""Commands that create users and change owners; here they do nothing."""
KEPT_VARIABLES = ("LANG", "PIP_", "SSL_", "REQUESTS_", "HTTP", "NO_PROXY", "http", "no_proxy")
"""Prefixes of the environment variables that a build keeps: language, certificates, package index and proxy."""


class StepFailed(Exception):
    """A step of the Dockerfile cannot be performed; the message says which and why."""


@dataclass
class Stage:
    """A stage of the build, the last of which is the image: its files and settings."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """`text` with the absolute paths of the container replaced by paths below `root`."""
        return re.sub(r"(?<![\w.:/-])/(?=[a-z])", f"{self.root}/", text)

    def path(self, name: str) -> Path:
        """The path below `root` of a path in the container, relative to the working folder unless it is absolute."""
        return self.root / os.path.join(self.folder, name).lstrip("/")

    def process(self, command: Sequence[str], **options) -> subprocess.Popen:
        """Start a command in the image, without the settings of this process."""
        known = {name: value for name, value in os.environ.items() if name.startswith(KEPT_VARIABLES)}
        places = {"PATH": f"{self.root}/shims:{self.root}/venv/bin:{os.defpath}", "HOME": str(self.root / "root")}
        settings = known | places | {name: self.inside(value) for name, value in self.environment.items()}
        settings |= options.pop("environment", {})
        return subprocess.Popen(
            [shutil.which(command[0], path=settings["PATH"]) or command[0], *command[1:]],
            cwd=self.path("."),
            env=settings,
            text=True,
            **options,
        )


def build(checkout: Path, place: Path) -> Stage:
    """Build the image of the checkout's Dockerfile in the folder `place`; raises StepFailed."""
    steps = DockerfileParser(fileobj=(checkout / "Dockerfile").open("rb")).structure
    stages: dict[str, Stage] = {}
    stage = None
    for step in steps:
        kind, text = step["instruction"], step["value"]
        if kind == "COMMENT":
            continue
        if kind == "FROM":
            name, stage = _base(text, place / str(len(stages)))
            stages[name or str(len(stages))] = stage
        elif kind == "COPY":
            _copy(stage, shlex.split(text), checkout, stages)
        elif kind in STEPS:
            STEPS[kind](stage, text)
        else:
            raise StepFailed(f"Dockerfile, line {step['startline'] + 1}: the instruction {kind} is not supported here.")
    return stage


def _base(text: str, root: Path) -> tuple[str, Stage]:
    """The name of a stage, if it has one, and its files before its first step."""
    image, _as, name = (*text.split(), "", "")[:3]
    if not BASE_IMAGE.fullmatch(image):
        raise StepFailed(f"FROM {image}: only the slim images of Python are supported here.")
    for part in ("tmp", "root", "shims"):
        (root / part).mkdir(parents=True)
    for command in NEEDS_ROOT:
        shim = root / "shims" / command
        shim.write_text("#!/bin/sh\n", encoding="utf-8")
        shim.chmod(0o755)
    venv.create(root / "venv", with_pip=True)
    return name, Stage(root)


def _copy(stage: Stage, words: list[str], checkout: Path, stages: dict[str, Stage]) -> None:
    """COPY from the build context or from an earlier stage."""
    *names, target = [word for word in words if not word.startswith("--")]
    origin = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
    into = stage.path(target)
    if origin:
        for name in names:
            shutil.copytree(stages[origin].path(name), into, symlinks=True, dirs_exist_ok=True)
        return
    context = _context(checkout)
    for name in names:
        wanted = [path for path in context if name in (".", path) or path.startswith(f"{name}/")]
        if not wanted:
            raise StepFailed(f"COPY {name}: the build context has no such file; see .dockerignore.")
        for path in wanted:
            goal = into / path
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / path, goal, follow_symlinks=False)


def _context(checkout: Path) -> list[str]:
    """The files of the build context: all but those that .dockerignore excludes."""
    lines = (checkout / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    # Docker always gets these two files, but COPY does not see them.
    files = exclude_paths(str(checkout), patterns) - {"Dockerfile", ".dockerignore"}
    return [path for path in files if not (checkout / path).is_dir()]


def _run(stage: Stage, text: str) -> None:
    process = stage.process(["/bin/sh", "-ec", stage.inside(text)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = process.communicate()
    if process.returncode:
        raise StepFailed(f"RUN {text}\nended with {process.returncode}:\n{output}")


def _workdir(stage: Stage, text: str) -> None:
    stage.folder = os.path.join(stage.folder, text)
    stage.path(".").mkdir(parents=True, exist_ok=True)


def _env(stage: Stage, text: str) -> None:
    stage.environment |= dict(word.split("=", 1) for word in shlex.split(text))


def _entrypoint(stage: Stage, text: str) -> None:
    stage.entrypoint = json.loads(text)


def _cmd(stage: Stage, text: str) -> None:
    stage.command = json.loads(text)


STEPS = {
    "RUN": _run,
    "WORKDIR": _workdir,
    "ENV": _env,
    "ENTRYPOINT": _entrypoint,
    "CMD": _cmd,
    "USER": lambda stage, text: None,
}
