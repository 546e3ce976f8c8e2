"""Permission reports outlive a release: what is written reads back, and so does what the last release wrote."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from storage.reports import report_from_json, report_to_json

# Written by the release before the exchanges' own key reports were read: four fields and no more.
WRITTEN_BEFORE = """{"findings": {
    "balances": ["on", "seen", null, false], "fills": ["off", "seen", null, true],
    "withdraw": ["off", "said", 1767225600000000, false]},
  "ip_bound": "unknown", "expires_at": 1798675200000000, "labels": ["List withdrawal requests"]}"""

times = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  made aware by `timezones`
words = st.lists(st.text(max_size=9), max_size=3).map(tuple)
findings = st.builds(
    Finding,
    st.sampled_from(Switch),
    st.sampled_from(Source),
    st.none() | times,
    st.booleans(),
)
reports = st.builds(
    PermissionReport,
    st.dictionaries(st.sampled_from(Permission), findings),
    st.sampled_from(Switch),
    st.none() | times,
    words,
    words,
    words,
    st.none() | times,
    st.none() | times,
    st.none() | times,
)


@given(reports)
def test_a_report_reads_back_as_it_was_written(report: PermissionReport) -> None:
    """Through the JSON that a database keeps, to the microsecond."""
    assert report_from_json(json.loads(json.dumps(report_to_json(report)))) == report


def test_an_upgrade_reads_what_the_release_before_wrote() -> None:
    """Nothing that was known is lost; what was never asked is simply not known."""
    said_at = datetime(2026, 1, 1, tzinfo=UTC)
    expected = PermissionReport(
        {
            Permission.BALANCES: Finding(Switch.ON, Source.SEEN),
            Permission.FILLS: Finding(Switch.OFF, Source.SEEN, refused=True),
            Permission.WITHDRAW: Finding(Switch.OFF, Source.SAID, said_at),
        },
        Switch.UNKNOWN,
        datetime(2026, 12, 31, tzinfo=UTC),
        ("List withdrawal requests",),
    )
    assert report_from_json(json.loads(WRITTEN_BEFORE)) == expected
    assert (expected.strange, expected.addresses, expected.created_at) == ((), (), None)


def test_what_this_release_writes_the_one_before_can_read() -> None:
    """Going back a release: its four fields are still there, spelled as it knew them."""
    old = json.loads(WRITTEN_BEFORE)
    written = report_to_json(report_from_json(old))
    assert {name: written[name] for name in old} == old
