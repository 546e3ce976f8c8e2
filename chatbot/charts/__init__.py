"""The pictures: PNGs drawn by matplotlib in a process of their own, so that the event loop never waits.

`pool.py` keeps that process, `drawing.py` is what runs in it; nothing else imports the library. The process
is spawned, not forked: it holds no copy of a key.
"""

from chatbot.charts.pool import ProcessCharts

__all__ = ["ProcessCharts"]
