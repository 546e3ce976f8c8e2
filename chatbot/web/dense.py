"""Takes out of the page's files what only their readers need, so that a phone loads less.

A formatted script is the condition: each statement ends with a semicolon, divisions have blanks around them,
comments have lines of their own, and no string or pattern spreads over two lines.
"""

import re

# A string or a pattern stays as it is; blanks stay only between two words.
_TOKEN = re.compile(
    r'("(?:[^"\\\n]|\\.)*"|/(?![/*\s])(?:\[(?:[^\]\\\n]|\\.)*\]|\\.|[^/\\\n\[])+/)'
    r"|\s*([^\w\s$\"/#.])\s*|(\s)\s*"
)
_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
_CONSTANT = re.compile(r"^(\t*const .*);$(?=\n\t*const )", re.MULTILINE)
_NEXT = re.compile(r",\n\t*const ")
_LONE_PARAMETER = re.compile(r"(?<!\w)\((\w+)\)=>")


def dense_script(text: str) -> str:
    """Return a script with the same meaning and names, without comments and layout."""
    text = _NEXT.sub(",", _CONSTANT.sub(r"\1,", _COMMENT.sub("", text)))
    text = _TOKEN.sub(lambda found: found[1] or found[2] or found[3] or "", text).strip()
    return _LONE_PARAMETER.sub(r"\1=>", text.replace(";}", "}").replace("const", "let"))


def dense_style(text: str) -> str:
    """Return a style sheet without layout."""
    return re.sub(r"\s*([{};,])\s*|(?<=:)\s+", r"\1", text).replace(";}", "}")


def dense_markup(text: str) -> str:
    """Return markup without the line ends between its elements."""
    return text.replace(">\n", ">")
