"""The README says what the code does."""

import re

from chatbot.__main__ import cli
from tests.support.readme import README, filled


def test_the_readme_lists_commands_exchanges_and_settings_as_they_are() -> None:
    """`python -m tests.support.readme` brings a changed table up to date."""
    text = README.read_text("utf-8")
    assert text == filled(text)


def test_every_subcommand_stands_in_the_readme() -> None:
    """What the command line offers is told where people look."""
    text = README.read_text("utf-8")
    named = set(re.findall(r"`(\w+)`", text))
    offered = {
        command.name or command.callback.__name__ for command in cli.registered_commands if command.callback
    }
    assert offered <= named


def test_every_picture_and_page_the_readme_names_is_there() -> None:
    """No dead link to our own files."""
    text = README.read_text("utf-8")
    for target in re.findall(r"\]\((docs/[^)#]+)\)", text):
        assert (README.parent / target).is_file(), target
