"""How a message looks on Slack: blocks, the text beside them, parts that fit, and buttons."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.messages import (
    Button,
    Line,
    Look,
    Message,
    Piece,
    Table,
    bold,
    code,
    line,
    message,
)
from chatbot.errors import SendError, Verdict
from chatbot.platforms.slack.blocks import size
from chatbot.platforms.slack.writing import calls
from chatbot.text import Translator
from tests.support.slackapi import blocks as oracle
from tests.support.slacks import delivery
from tests.support.slackwriting import clean, labels, requests, seen, squeezed, styled

HOSTILE = st.text(
    st.sampled_from("*_[]()<>&@`~|#/\\\"'! :\n\u202e\u200fabc😀👨\u200d👩é漢\ud83d\t\x01"), max_size=60
)
TABLE = Table((("asset", "total"), ("BTC", "0.5"), ("USDC", "1,200.00")))
KEY_PAGE = "https://bot.example.com/key#abc"


def test_each_look_is_an_element_of_its_own():
    """Bold, code, links and tables are structure, each in its place."""
    page = Piece("here", Look.LINK, "https://a.example/b")

    [call] = requests(message(line("😀 ", bold("fett"), " and ", code("…a1b2"), " ", page), TABLE))

    assert call.method == "chat.postMessage"
    assert call.params["blocks"] == [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "😀 "},
                        {"type": "text", "text": "fett", "style": {"bold": True}},
                        {"type": "text", "text": " and "},
                        {"type": "text", "text": "…a1b2", "style": {"code": True}},
                        {"type": "text", "text": " "},
                        {"type": "link", "text": "here", "url": "https://a.example/b"},
                    ],
                },
                {
                    "type": "rich_text_preformatted",
                    "elements": [
                        {"type": "text", "text": "asset     total\nBTC         0.5\nUSDC   1,200.00"}
                    ],
                },
            ],
        }
    ]


def test_nothing_in_a_message_can_act():
    """Text is there for notifications, its markup off; nobody is mentioned and nothing is unfurled."""
    [call] = requests("<!channel> *x* @here & <https://a.example|b>")

    assert call.params["text"] == "&lt;!channel&gt; *x* @here &amp; &lt;https://a.example|b&gt;"
    assert seen(call) == "<!channel> *x* @here & <https://a.example|b>"
    off = {"mrkdwn", "link_names", "unfurl_links", "unfurl_media"}
    assert {name for name, value in call.params.items() if value is False} == off
    assert call.params["parse"] == "none"


@given(
    st.lists(
        st.lists(st.tuples(HOSTILE, st.sampled_from([Look.PLAIN, Look.BOLD, Look.CODE])), max_size=4),
        max_size=6,
    )
)
def test_what_is_shown_is_what_was_meant(pieces):
    """No text of a piece can change, style, mention or swallow another: it is shown as it stands."""
    shown = Message((line("start"), *(Line(tuple(Piece(t, k) for t, k in row)) for row in pieces)))

    [call] = requests(shown)

    assert seen(call) == clean(shown.plain())
    bolds = [t for row in pieces for text, look in row if look is Look.BOLD for t in text.split("\n") if t]
    assert styled(call, "bold") == [clean(text) for text in bolds]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 9000), min_size=1, max_size=6),
    st.sampled_from(["x", "😀", "word ", "é漢😀 ", "<&>", '"\\', "a\n"]),
    st.sampled_from([Look.PLAIN, Look.BOLD, Look.CODE]),
)
def test_a_split_loses_nothing(lengths, stuff, look):
    """However long the lines, the messages together hold every character in order, each within the limits."""
    shown = Message((line("start"), *(line(Piece((stuff * n)[:n], look)) for n in lengths)))

    made = requests(shown)

    assert "".join(squeezed(seen(call)) for call in made) == squeezed(shown.plain())
    for call in made:
        assert oracle.size(call.params["blocks"]) <= 12_100
        assert all(size(oracle.words([block])) <= 3000 for block in call.params["blocks"])


@given(st.lists(st.tuples(HOSTILE.filter(str.strip), st.sampled_from(Look)), min_size=200, max_size=400))
@settings(max_examples=10, deadline=None)
def test_many_small_pieces_fit_too(pieces):
    """A line of hundreds of styled scraps is split by what its structure takes, not by its words alone."""
    shown = Message((Line(tuple(Piece(t, k, "https://a.example/" + "p" * 200) for t, k in pieces)),))

    made = requests(shown)

    assert "".join(squeezed(seen(call)) for call in made) == squeezed(shown.plain())
    assert all(oracle.size(call.params["blocks"]) <= 12_100 for call in made)


def test_a_label_of_3001_characters_is_shown_whole():
    """A line too long for a block goes on in the next, without a line break in the text nobody wrote."""
    [call] = requests("x" * 3001)

    assert [len(oracle.words([block])) for block in call.params["blocks"]] == [2998, 3]
    assert call.params["text"] == "x" * 3001


def test_messages_end_at_line_ends_and_buttons_stand_below_the_last():
    """A long message breaks between lines, and is answered where reading ends."""
    shown = message(
        *[f"line {number} " + "x" * 90 for number in range(400)], buttons=((Button("Next", "id1"),),)
    )

    made = requests(shown)

    assert len(made) > 3
    assert "\n".join(call.params["text"] for call in made) == shown.plain()
    assert [labels(call) for call in made] == [[]] * (len(made) - 1) + [[["Next"]]]


def test_a_long_table_stays_a_table_in_every_part():
    """Each part of a table is aligned and fixed-width on its own."""
    made = requests(message(Table(tuple((f"ASSET{n}", f"{n}.00") for n in range(1500)))))

    blocks = [block for call in made for block in call.params["blocks"]]
    assert len(made) > 1
    assert {e["type"] for block in blocks for e in block["elements"]} == {"rich_text_preformatted"}


def test_the_buttons():
    """They carry our id or an address, never a value; each row is a row, a long text is shortened."""
    shown = message(
        "pick",
        buttons=(
            (Button("Next", "a" * 255), Button("😀" * 40, "id2")),
            (Button("Open", url=KEY_PAGE), Button("More", url="https://a.example/")),
            (Button("Page", url="https://a.example/", app=True),),
        ),
    )

    [call] = requests(shown)
    _, first, second = call.params["blocks"]

    plain = {"type": "plain_text", "emoji": False}
    assert first["elements"] == [
        {"type": "button", "text": plain | {"text": "Next"}, "action_id": "a" * 255},
        {"type": "button", "text": plain | {"text": "😀" * 37 + "…"}, "action_id": "id2"},
    ]
    assert second["elements"] == [
        {"type": "button", "text": plain | {"text": "Open"}, "action_id": "url:2", "url": KEY_PAGE},
        {
            "type": "button",
            "text": plain | {"text": "More"},
            "action_id": "url:3",
            "url": "https://a.example/",
        },
    ]


@pytest.mark.parametrize(("rows", "wide"), [(1, 60), (130, 1), (60, 30)])
def test_no_button_is_lost_however_many(rows, wide):
    """More than 25 in a row, more than 50 rows: the rest stands in further blocks and further messages."""
    names = [[f"b{row}-{place}" for place in range(wide)] for row in range(rows)]
    buttons = tuple(tuple(Button(name, name) for name in row) for row in names)

    made = requests(message("pick", buttons=buttons))

    shown = [label for call in made for row in labels(call) for label in row]
    assert shown == [name for row in names for name in row]


def test_an_address_too_long_for_a_button_stands_in_the_text():
    """3,000 characters fit into a button; one more is shown in words, and nothing is lost."""
    fits, long = ("https://a.example/" + "p" * (n - 18) for n in (3000, 3001))

    [call] = requests(message("pick", buttons=((Button("A", url=fits), Button("B", url=long)),)))

    assert labels(call) == [["A"]]
    assert squeezed(seen(call)) == f"pickB:{long}"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://a.example/" + "p" * 1001, "nowhere"])
def test_a_link_that_slack_would_refuse_is_shown_in_words(url):
    """An odd address does not cost the whole message."""
    [call] = requests(message(line(Piece("here", Look.LINK, url))))

    assert seen(call) == f"here ({url})"


@pytest.mark.parametrize("button", [Button("x", "a" * 256), Button("x")])
def test_a_button_that_slack_would_refuse_is_refused_here(button):
    """An id that does not fit is our mistake; nothing is sent."""
    with pytest.raises(SendError) as raised:
        calls(delivery(message("x", buttons=((button,),))), Translator())

    assert raised.value.verdict is Verdict.REFUSED


@pytest.mark.parametrize("fields", [{}, {"edit": "D1/5.1"}, {"home": True}])
def test_an_empty_message_is_refused_here(fields):
    """Nothing to show is our mistake; nothing is sent."""
    with pytest.raises(SendError) as raised:
        calls(delivery(message("  ", "\n"), **fields), Translator())

    assert raised.value.verdict is Verdict.REFUSED


def test_a_button_without_words_has_some():
    """Slack refuses an empty button; the message around it is not lost."""
    [call] = requests(message("x", buttons=((Button("", "id1"),),)))

    assert labels(call) == [["…"]]
