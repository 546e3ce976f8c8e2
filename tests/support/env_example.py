"""Writes `.env.example` anew from the settings' own table: `python -m tests.support.env_example`."""

from chatbot.settings import env_example
from tests.support.sources import ROOT

if __name__ == "__main__":
    (ROOT / ".env.example").write_text(env_example(), encoding="utf-8")
