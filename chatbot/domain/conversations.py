"""The guide: the steps that lead a person to a key, read from one Markdown file per language.

A guide file holds `## Step` sections, each with optional `key: value` lines below its heading, and
`## Stuck` sections that answer *I'm stuck*. Its state is a row, so that it goes on after a restart.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

from chatbot.domain.people import ConversationId, PersonId

GuideId = NewType("GuideId", str)


class GuideError(ValueError):
    """A guide file that can't be read; names the file's heading and the problem."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its heading, its lines, and when it is shown.

    `when` is empty, `egress` (only with fixed addresses), `monitor` or `trade`; `ticks` asks for the
    computed tick list; `page` for the button to the exchange; `link` marks the last step.
    """

    key: str
    title: str
    lines: tuple[str, ...]
    when: str = ""
    ticks: bool = False
    page: bool = False
    link: bool = False
    skip: bool = False


@dataclass(frozen=True, slots=True)
class Stuck:
    """One trouble and its answer; `cause` names the exchange trouble that leads straight to it."""

    key: str
    title: str
    lines: tuple[str, ...]
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """All steps and troubles of one exchange in one language."""

    exchange: str
    locale: str
    steps: tuple[Step, ...]
    stuck: tuple[Stuck, ...]

    def shown(self, *, egress: bool, trade: bool) -> tuple[Step, ...]:
        """Return the steps for an installation with or without fixed addresses, and its purpose."""
        wanted = {"", "trade" if trade else "monitor"} | ({"egress"} if egress else set())
        return tuple(step for step in self.steps if step.when in wanted)


@dataclass(frozen=True, slots=True)
class GuideState:
    """How far a person is in a guide; `step` is the key of the step shown now."""

    id: GuideId
    person: PersonId
    conversation: ConversationId
    exchange: str
    step: str
    label: str = ""
    trouble: str = ""

    @property
    def card(self) -> str:
        """The name of the message that is edited in place."""
        return f"guide:{self.id}"


_SECTION = re.compile(r"^## (Step|Stuck): *(?P<key>[a-z0-9_-]+) *$")
_OPTION = re.compile(r"^([a-z]+): *(.*)$")


def parse_guide(exchange: str, locale: str, markdown: str) -> Guide:
    """Read a guide file.

    Each section is `## Step: key` or `## Stuck: key`, then `option: value` lines, a blank line, and
    the text. Options: `title` (needed), `when`, `show` (words of `ticks page link skip`), `cause`.

    Raises:
        GuideError: for a section without title or text, or when the last step has no link.
    """
    steps: list[Step] = []
    stuck: list[Stuck] = []
    for kind, key, options, lines in _sections(markdown):
        if not options.get("title") or not lines:
            msg = f"{exchange}/{locale}: section {key} needs a title and a text"
            raise GuideError(msg)
        show = options.get("show", "").split()
        if kind == "Step":
            flags = {name: name in show for name in ("ticks", "page", "link", "skip")}
            steps.append(Step(key, options["title"], lines, options.get("when", ""), **flags))
        else:
            stuck.append(Stuck(key, options["title"], lines, options.get("cause", "")))
    if not steps or not steps[-1].link or any(step.link for step in steps[:-1]):
        msg = f"{exchange}/{locale}: the last step, and only it, must show the link"
        raise GuideError(msg)
    return Guide(exchange, locale, tuple(steps), tuple(stuck))


def _sections(markdown: str) -> list[tuple[str, str, Mapping[str, str], tuple[str, ...]]]:
    found: list[tuple[str, str, dict[str, str], list[str]]] = []
    in_options = False
    for raw in markdown.splitlines():
        text = raw.rstrip()
        heading = _SECTION.match(text)
        if heading:
            found.append((heading[1], heading["key"], {}, []))
            in_options = True
        elif found and in_options and (option := _OPTION.match(text)):
            found[-1][2][option[1]] = option[2]
        elif found:
            in_options = in_options and not text
            found[-1][3].append(text)
    return [(kind, key, options, _trim(lines)) for kind, key, options, lines in found]


def _trim(lines: list[str]) -> tuple[str, ...]:
    return tuple("\n".join(lines).strip().split("\n")) if any(lines) else ()
