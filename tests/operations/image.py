"""The image without Docker: the Dockerfile's own steps, performed in folders that stand for its stages.

A virtual environment stands for the Python of the base image, and nobody's user is changed. So a file
that COPY forgets, a package that the wheel lacks, a pin that does not exist and a command that is
misspelt all show; that the base image exists and its system libraries do, does not.
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

OF_THE_BASE = re.compile(r"python:3\.\d+-slim\b.*")
NEEDS_ROOT = ("useradd", "chown")
"""Commands that only change who owns what; here they do nothing."""
FROM_OUTSIDE = ("LANG", "PIP_", "SSL_", "REQUESTS_", "HTTP", "NO_PROXY", "http", "no_proxy")
"""How the names of variables begin that a build may know: where packages come from, and by what way."""


class StepFailed(Exception):
    """A step of the Dockerfile cannot be performed; the message says which and why."""


@dataclass
class Stage:
    """A stage of the build, or the image that is its last: its files, and what was set."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """`text` with the paths of the container as paths of the folder that stands for it."""
        return re.sub(r"(?<![\w.:/-])/(?=[a-z])", f"{self.root}/", text)

    def path(self, name: str) -> Path:
        """A path of the container, from its working folder unless it is absolute."""
        return self.root / os.path.join(self.folder, name).lstrip("/")

    def process(self, command: Sequence[str], **options) -> subprocess.Popen:
        """Start a command in the image, with nothing of this process's settings."""
        known = {name: value for name, value in os.environ.items() if name.startswith(FROM_OUTSIDE)}
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
    """The image of the checkout's Dockerfile, made in `place`; raises StepFailed."""
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
            raise StepFailed(f"Dockerfile, line {step['startline'] + 1}: it is not known here what {kind} does.")
    return stage


def _base(text: str, root: Path) -> tuple[str, Stage]:
    """The name of a stage, if it has one, and its files before its first step."""
    image, _as, name = (*text.split(), "", "")[:3]
    if not OF_THE_BASE.fullmatch(image):
        raise StepFailed(f"FROM {image}: only the slim images of Python are stood in for.")
    for part in ("tmp", "root", "shims"):
        (root / part).mkdir(parents=True)
    for command in NEEDS_ROOT:
        shim = root / "shims" / command
        shim.write_text("#!/bin/sh\n", encoding="utf-8")
        shim.chmod(0o755)
    venv.create(root / "venv", with_pip=True)
    return name, Stage(root)


def _copy(stage: Stage, words: list[str], checkout: Path, stages: dict[str, Stage]) -> None:
    """COPY from the build context, which .dockerignore bounds, or from an earlier stage."""
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
            raise StepFailed(f"COPY {name}: there is no such file in the build context; see .dockerignore.")
        for path in wanted:
            goal = into / path
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / path, goal, follow_symlinks=False)


def _context(checkout: Path) -> list[str]:
    """The files of the build context, which .dockerignore bounds."""
    lines = (checkout / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    # Docker is sent these two whatever the patterns say, but COPY does not see them.
    seen = exclude_paths(str(checkout), patterns) - {"Dockerfile", ".dockerignore"}
    return [path for path in seen if not (checkout / path).is_dir()]


def _run(stage: Stage, text: str) -> None:
    process = stage.process(["/bin/sh", "-ec", stage.inside(text)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = process.communicate()
    if process.returncode:
        raise StepFailed(f"RUN {text}\nended with {process.returncode}:\n{said}")


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
