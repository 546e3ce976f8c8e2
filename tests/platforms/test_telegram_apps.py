"""A page that opens inside Telegram: its button stands only where Telegram takes one."""

import pytest

from chatbot.domain.messages import Button, message
from chatbot.domain.people import Place
from tests.platforms.test_telegram_writing import requests
from tests.support.telegrams import ANA, GROUP

PAGE = Button("Open secure page", url="https://a.example/key#x")
APP = Button("Open it inside this app", url="https://a.example/key-app?k=1", app=True)
PLAIN = Button("Open it inside this app", url="http://localhost:8080/key-app?k=1", app=True)


def keyboard(place, *rows):
    where = Place("telegram", str(place), private=place == ANA)
    [call] = requests(message("last step", buttons=rows), place=where)
    return call.params.get("reply_markup", {}).get("inline_keyboard")


def test_in_private_it_is_a_mini_app():
    """The address goes as a Mini App's, beside the plain one that every client can open."""
    assert keyboard(ANA, (PAGE,), (APP,)) == [
        [{"text": PAGE.text, "url": PAGE.url}],
        [{"text": APP.text, "web_app": {"url": APP.url}}],
    ]


@pytest.mark.parametrize(("place", "app"), [(GROUP, APP), (ANA, PLAIN)])
def test_where_telegram_takes_none_it_is_left_out(place, app):
    """In a group, or without https, the message still goes, without the button and without an empty row."""
    assert keyboard(place, (PAGE,), (app,)) == [[{"text": PAGE.text, "url": PAGE.url}]]
    assert keyboard(place, (app,)) is None
