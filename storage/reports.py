"""Permission reports as JSON: what a key may do, how we know it, and since when."""

from datetime import datetime
from typing import Any

from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from storage.columns import from_micros, to_micros


def report_to_json(report: PermissionReport) -> dict[str, Any]:
    """Return a report as plain data."""
    return {
        "findings": {
            permission.value: [found.switch.value, found.source.value, _micros(found.at), found.refused]
            for permission, found in report.findings.items()
        },
        "ip_bound": report.ip_bound.value,
        "expires_at": _micros(report.expires_at),
        "labels": list(report.labels),
        "strange": list(report.strange),
        "addresses": list(report.addresses),
        "created_at": _micros(report.created_at),
        "history_from": _micros(report.history_from),
        "history_to": _micros(report.history_to),
    }


def report_from_json(data: dict[str, Any]) -> PermissionReport:
    """Return the report that `report_to_json` wrote; what an earlier release did not write is not known."""
    findings = {
        Permission(name): Finding(Switch(switch), Source(source), _time(at), refused)
        for name, (switch, source, at, refused) in data["findings"].items()
    }
    return PermissionReport(
        findings,
        Switch(data["ip_bound"]),
        _time(data["expires_at"]),
        tuple(data["labels"]),
        tuple(data.get("strange", ())),
        tuple(data.get("addresses", ())),
        _time(data.get("created_at")),
        _time(data.get("history_from")),
        _time(data.get("history_to")),
    )


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
