"""The requests that the README shows are answered; `curl` as far as it is used there."""

import re
import shlex
from pathlib import Path

import httpx
import pytest

README = Path(__file__).resolve().parents[3] / "README.md"


def shown() -> list[str]:
    text = README.read_text("utf-8").replace("\\\n", " ")
    return [line.partition("  #")[0].partition(" # ")[0] for line in re.findall(r"^\$ (curl .*)$", text, re.MULTILINE)]


def test_the_readme_shows_the_api() -> None:
    assert len(shown()) >= 20


@pytest.mark.parametrize("command", shown())
def test_every_request_shown_is_answered(client: httpx.Client, command: str) -> None:
    _, *arguments = shlex.split(command)
    method, headers, body, url = "GET", {}, None, ""
    while arguments:
        argument = arguments.pop(0)
        if argument == "-X":
            method = arguments.pop(0)
        elif argument == "-H":
            name, _, value = arguments.pop(0).partition(":")
            headers[name] = value.strip()
        elif argument == "-d":
            body = arguments.pop(0)
        elif argument == "-o":
            arguments.pop(0)
        else:
            url = argument.removeprefix("http://127.0.0.1:8050")
    assert url.startswith("/"), command
    answer = client.request(method, url, headers=headers, content=body)
    assert answer.status_code in (200, 202), answer.text
    assert answer.content
