"""How the page's files are made smaller before they are served: what must not change."""

import re

from chatbot.web.dense import dense_markup, dense_script, dense_style
from chatbot.web.keypage import page_file
from tests.support.sources import ROOT

SOURCE = (ROOT / "chatbot/web/page/key.js").read_text(encoding="utf-8")


def test_layout_goes_and_meaning_stays():
    """Comments, line ends and blanks go; words stay apart; divisions and patterns are told from each other."""
    source = (
        "// why\n"
        'const a = (text) => text.replace(/[ /]+ \\/"/g, " a = b ");\n'
        "const b = async (x) => (1 + x) / 2;\n"
        "function c(x, y) {\n"
        "\t// not yet\n"
        "\tif (x) return y / x;\n"
        '\telse throw new Error("no // comment");\n'
        "}\n"
    )

    assert dense_script(source) == (
        'let a=text=>text.replace(/[ /]+ \\/"/g," a = b "),b=async(x)=>(1+x)/ 2;'
        'function c(x,y){if(x)return y / x;else throw new Error("no // comment")}'
    )


def test_every_word_of_the_script_is_served():
    """Whoever compares the source with the served script finds all of it, in the same order."""
    code = re.sub(r"(?m)^\s*//.*\n", "", SOURCE)
    served = page_file("key.js").decode()

    words = [word for word in re.findall(r"[A-Za-z_$][\w$]*", code) if word not in {"const", "let"}]
    assert [word for word in re.findall(r"[A-Za-z_$][\w$]*", served) if word not in {"const", "let"}] == words


def test_style_and_markup_keep_what_counts():
    """Blanks between selectors, values and attributes stay."""
    assert (
        dense_style("a :is(b, c) {\n\tmargin: 0 1px;\n\tcolor: red;\n}\n")
        == "a :is(b,c){margin:0 1px;color:red}"
    )
    assert dense_markup("<p\nid=x>\n<b>y</b> z\n") == "<p\nid=x><b>y</b> z\n"
