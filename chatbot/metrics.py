"""What is counted for Prometheus, and the page `GET /metrics` answers with.

Bootstrap makes one `Metrics` and hands its methods to what they count. Labels come from fixed
vocabularies (exchange names, states, verdicts), never from a person, an account or a key.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class Metrics:
    """Counters and gauges in a registry of their own."""

    def __init__(self, version: str = "") -> None:
        self._registry = CollectorRegistry()
        self._polls = self._counter("polls", "Polls of a key by how they ended.", "exchange", "outcome")
        self._fills = self._counter("fills_told", "Fills put into the outbox.", "exchange")
        self._sends = self._counter(
            "sends", "Tries to send a message by what they proved.", "platform", "verdict"
        )
        self._links = self._counter("links", "One-time links by what became of them.", "outcome")
        self._updates = self._counter("updates", "Updates taken in from a platform.", "platform")
        self._outbox = self._gauge("outbox_messages", "Messages in the outbox by state.", "state")
        build = self._gauge("build", "The version that runs.", "version")
        build.labels(version).set(1)

    def polled(self, exchange: str, outcome: str) -> None:
        """Count a poll: `ok`, or the name of the trouble."""
        self._polls.labels(exchange, outcome).inc()

    def told(self, exchange: str, fills: int) -> None:
        """Count fills that are told to somebody."""
        self._fills.labels(exchange).inc(fills)

    def sent(self, platform: str, verdict: str) -> None:
        """Count a try to send: `sent`, or the name of the verdict."""
        self._sends.labels(platform, verdict).inc()

    def link(self, outcome: str) -> None:
        """Count what became of a link: `minted`, `opened`, `refused`, `used`, `expired`, `revoked`."""
        self._links.labels(outcome).inc()

    def update(self, platform: str) -> None:
        """Count an update that came in."""
        self._updates.labels(platform).inc()

    def outbox(self, states: Mapping[str, int]) -> None:
        """Set how many messages are in each state; a state that is not named has none."""
        _replace(self._outbox, states)

    def render(self) -> bytes:
        """Return everything in Prometheus' text form."""
        return generate_latest(self._registry)

    def _counter(self, name: str, about: str, *labels: str) -> Counter:
        return Counter(name, about, labels, namespace="keyherald", registry=self._registry)

    def _gauge(self, name: str, about: str, *labels: str) -> Gauge:
        return Gauge(name, about, labels, namespace="keyherald", registry=self._registry)


def _replace(gauge: Gauge, values: Mapping[str, int]) -> None:
    gauge.clear()
    for state, number in values.items():
        gauge.labels(state).set(number)
