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
    }


def report_from_json(data: dict[str, Any]) -> PermissionReport:
    """Return the report that `report_to_json` wrote."""
    findings = {
        Permission(name): Finding(Switch(switch), Source(source), _time(at), refused)
        for name, (switch, source, at, refused) in data["findings"].items()
    }
    expires_at = _time(data["expires_at"])
    return PermissionReport(findings, Switch(data["ip_bound"]), expires_at, tuple(data["labels"]))


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _time(micros: int | None) -> datetime | None:
    return None if micros is None else from_micros(micros)
