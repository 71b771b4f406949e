"""The files of deploy/, as the tests read them."""

import re
from typing import Any

import yaml
from dockerfile_parse import DockerfileParser  # type: ignore[import-untyped]  # ships no stubs

from kustomer_pipeline_tests.conftest import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
COMPOSE = DEPLOY / "compose.yaml"
PAGE = REPOSITORY / "docs" / "deploy.md"


def instructions() -> list[tuple[str, str]]:
    """Instruction and value, in order."""
    parser = DockerfileParser(path=str(DOCKERFILE), cache_content=True)
    return [(part["instruction"], part["value"]) for part in parser.structure if part["instruction"] != "COMMENT"]


def instruction(name: str) -> str:
    """The value of the last one of a name: what the image has in the end."""
    return [value for found, value in instructions() if found == name][-1]


def loaded(name: str) -> dict[str, Any]:
    """A YAML file of the folder."""
    content = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def commands(marker: str) -> list[str]:
    """The commands of the block of docs/deploy.md that stands below `<!-- commands: marker -->`, one a line."""
    pattern = rf"(?ms)^<!-- commands: {re.escape(marker)} -->\n```sh\n(.*?)^```$"
    [block] = re.findall(pattern, PAGE.read_text(encoding="utf-8"))
    return [line for line in re.sub(r"\\\n\s*", "", block).splitlines() if line.strip()]
