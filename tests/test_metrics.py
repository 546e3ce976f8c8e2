"""The metrics page: what was counted stands there, and two runs do not share their numbers."""

from prometheus_client.parser import text_string_to_metric_families

from chatbot.metrics import Metrics


def read(metrics):
    """Return every sample as (name, label values) to number, as Prometheus reads it."""
    families = text_string_to_metric_families(metrics.render().decode())
    samples = (sample for family in families for sample in family.samples)
    return {(s.name, *s.labels.values()): s.value for s in samples if not s.name.endswith("_created")}


def test_what_happens_is_counted():
    """Each method moves its own number."""
    metrics = Metrics("1.2.3")
    metrics.polled("bitso", "ok")
    metrics.polled("bitso", "ok")
    metrics.polled("bitso", "rate_limit")
    metrics.told("bitso", 3)
    metrics.sent("telegram", "unknown")
    metrics.link("used")
    metrics.update("web")

    assert read(metrics) == {
        ("keyherald_polls_total", "bitso", "ok"): 2,
        ("keyherald_polls_total", "bitso", "rate_limit"): 1,
        ("keyherald_fills_told_total", "bitso"): 3,
        ("keyherald_sends_total", "telegram", "unknown"): 1,
        ("keyherald_links_total", "used"): 1,
        ("keyherald_updates_total", "web"): 1,
        ("keyherald_build", "1.2.3"): 1,
    }


def test_states_that_emptied_are_gone():
    """A gauge shows what is there now, not what once was."""
    metrics = Metrics()
    metrics.outbox({"pending": 2, "begun": 1})
    metrics.outbox({"pending": 1})
    numbers = read(metrics)

    assert numbers["keyherald_outbox_messages", "pending"] == 1
    assert ("keyherald_outbox_messages", "begun") not in numbers


def test_two_runs_count_apart():
    """Nothing is global: a second registry starts at nothing."""
    Metrics().polled("bitso", "ok")

    assert not any("polls" in name for name, *_ in read(Metrics()))
