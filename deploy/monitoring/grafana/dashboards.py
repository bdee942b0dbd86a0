#!/usr/bin/env python3
"""Writes the three Grafana dashboards from the tables below: dashboards.py [--check].

One line is one panel. With --check nothing is written; it fails where a file is not what the tables say."""
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).parent / "dashboards"
OWN = 'http_route!~"/health|/ready|/live|/metrics"'
# Which targets, as chosen above the panels.
AT = 'job=~"$job", instance=~"$instance"'


def rate(metric, by, more=""):
    return f"sum by ({by}) (rate({metric}{{{AT}{', ' + more if more else ''}}}[$__rate_interval]))"


def quantile(q, metric, by="instance", more=""):
    return f"histogram_quantile({q}, {rate(metric + '_bucket', by + ', le', more)})"


# title: [(row, [(panel, unit, kind, [(expression, legend)], thresholds)])]; thresholds are warning and critical.
BOARDS = {
    "operations": ("C0Di3 operations", [
        ("The runbook's six metrics", [
            ("Response time, P95", "s", "timeseries", [("c0di3:response_seconds:p95", "{{job}}")], (1, 2)),
            ("Error rate", "percentunit", "timeseries", [("c0di3:errors:ratio", "{{job}}")], (0.01, 0.05)),
            ("Processor", "percentunit", "timeseries", [(f"c0di3:cpu:ratio{{{AT}}}", "{{job}} {{instance}}")], (0.7, 0.9)),
            ("Memory", "percentunit", "timeseries", [(f"c0di3:memory:ratio{{{AT}}}", "{{job}} {{instance}}")], (0.8, 0.95)),
            ("Database connections", "percentunit", "timeseries",
             [(f"c0di3:db_connections:ratio{{{AT}}}", "{{instance}} {{pool}}")], (0.8, 0.95)),
            ("Disk", "percentunit", "timeseries", [(f"disk_used_ratio{{{AT}}}", "{{instance}} {{folder}}")], (0.8, 0.9)),
        ]),
        ("State", [
            ("Up", "none", "stat", [(f"up{{{AT}}}", "{{job}} {{instance}}")], None),
            ("Alerts that fire", "none", "table", [('ALERTS{alertstate="firing"}', "{{alertname}}")], None),
            ("Redis replaced by memory", "none", "stat", [(f"hot_degraded{{{AT}}}", "{{instance}}")], (1, 1)),
            ("Store away", "none", "timeseries", [
                (rate("store_outages_total", "instance"), "API {{instance}}"),
                (rate("store_errors_total", "instance"), "analyzer {{instance}}")], None),
            ("Requests by route", "reqps", "timeseries",
             [(rate("http_server_request_duration_seconds_count", "http_route", OWN), "{{http_route}}")], None),
            ("Requests by status", "reqps", "timeseries", [
                (rate("http_server_request_duration_seconds_count", "http_response_status_code", OWN),
                 "{{http_response_status_code}}")], None),
        ]),
        ("Upkeep", [
            ("Since the last backup and drill", "s", "stat",
             [("time() - max by (task) (task_last_success_timestamp_seconds)", "{{task}}")], (93600, 180000)),
            ("Certificates end in", "s", "stat",
             [(f"certificate_expires_timestamp_seconds{{{AT}}} - time()", "{{file}}")], None),
            ("Audit entries", "none", "timeseries", [
                (rate("audit_entries_total", "outcome"), "{{outcome}}"),
                (rate("audit_errors_total", "instance"), "had to wait {{instance}}"),
                (rate("audit_entries_lost_total", "instance"), "lost {{instance}}")], None),
            ("Refused logins", "reqps", "timeseries", [(rate("auth_refusals_total", "code"), "{{code}}")], None),
        ]),
        ("Notices and summaries", [
            ("Outbox", "none", "timeseries", [
                (f"webhook_outbox_pending{{{AT}}}", "pending {{instance}}"),
                (f"webhook_outbox_dead{{{AT}}}", "dead {{instance}}"),
                (f"webhook_endpoints_disabled{{{AT}}}", "disabled receivers {{instance}}")], None),
            ("Oldest notice", "s", "timeseries",
             [(f"webhook_outbox_oldest_age_seconds{{{AT}}}", "{{instance}}")], (300, 3600)),
            ("Deliveries", "reqps", "timeseries",
             [(rate("webhook_deliveries_total", "endpoint, result"), "{{endpoint}} {{result}}")], None),
            ("Attempt, P95", "s", "timeseries", [(quantile(0.95, "webhook_attempt_duration_seconds"), "{{instance}}")], None),
            ("Summaries", "reqps", "timeseries", [
                (rate("llm_requests_total", "outcome"), "model: {{outcome}}"),
                (rate("llm_fallback_total", "reason"), "template: {{reason}}")], None),
            ("Model, P95", "s", "timeseries", [(quantile(0.95, "llm_request_duration_seconds"), "{{instance}}")], None),
        ]),
    ]),
    "detection": ("C0Di3 detection", [
        ("Findings", [
            ("Findings", "cps", "timeseries", [(rate("findings_total", "change"), "{{change}}")], None),
            ("Hits", "cps", "timeseries", [(rate("hits_total", "instance"), "{{instance}}")], None),
            ("Continued and muted", "cps", "timeseries", [
                (rate("findings_continued_total", "instance"), "continued {{instance}}"),
                (rate("findings_muted_total", "instance"), "muted {{instance}}")], None),
            ("From event to finding, P95", "s", "timeseries",
             [(quantile(0.95, "finding_delay_seconds"), "{{instance}}")], (5, 30)),
        ]),
        ("Counting", [
            ("Open", "none", "timeseries", [(f"correlation_open{{{AT}}}", "{{kind}} {{instance}}")], None),
            ("Counted otherwise than usual", "cps", "timeseries",
             [(rate("correlation_exceptions_total", "reason"), "{{reason}}")], None),
            ("Kept from reporting by allow lists", "cps", "timeseries",
             [(rate("excepted_hits_total", "exception"), "{{exception}}")], None),
        ]),
        ("Rules and commits", [
            ("Rules in force", "none", "stat", [(f"rules_generation{{{AT}}}", "generation {{instance}}")], None),
            ("Loaded again", "none", "timeseries", [(rate("rules_reloads_total", "outcome"), "{{outcome}}")], None),
            ("Commit, P95", "s", "timeseries", [(quantile(0.95, "commit_duration_seconds"), "{{instance}}")], None),
            ("Checkpoint, P95", "s", "timeseries", [(quantile(0.95, "checkpoint_duration_seconds"), "{{instance}}")], None),
            ("Spans sent, and not", "cps", "timeseries", [
                (rate("trace_spans_sent_total", "instance"), "sent {{instance}}"),
                (rate("trace_spans_dropped_total", "reason"), "dropped: {{reason}}")], None),
            ("Since the last commit", "s", "timeseries", [(f"analyzer_since_commit_seconds{{{AT}}}", "{{instance}}")], (60, 120)),
        ]),
    ]),
    "ingest": ("C0Di3 ingest", [
        ("What comes", [
            ("Events by source", "cps", "timeseries", [(rate("ingest_events_total", "source"), "{{source}}")], None),
            ("Bytes by source", "Bps", "timeseries", [(rate("ingest_bytes_total", "source"), "{{source}}")], None),
            ("Connections", "none", "timeseries", [(f"ingest_connections_open{{{AT}}}", "{{source}} {{instance}}")], None),
            ("Connections closed", "cps", "timeseries", [(rate("ingest_connections_closed_total", "reason"), "{{reason}}")], None),
        ]),
        ("What is read of it", [
            ("Events", "cps", "timeseries", [(rate("events_total", "instance"), "{{instance}}")], None),
            ("Not read as wished", "cps", "timeseries", [
                (rate("events_rejected_total", "instance"), "break their format"),
                (rate("events_text_total", "instance"), "text of no known format"),
                (rate("events_unknown_shape_total", "instance"), "of no known shape"),
                (rate("events_altered_total", "reason"), "{{reason}}"),
                (rate("events_ambiguous_source_total", "instance"), "name several clients"),
                (rate("events_ahead_total", "instance"), "of a time far ahead"),
                (rate("values_in_pieces_total", "instance"), "parts of values judged in pieces")], None),
        ]),
        ("What waits", [
            ("Spool on disk", "bytes", "timeseries", [(f"spool_disk_bytes{{{AT}}}", "{{instance}}")], None),
            ("Spool not committed", "bytes", "timeseries", [(f"spool_backlog_bytes{{{AT}}}", "{{instance}}")], None),
            ("Age of the oldest event in the spool", "s", "timeseries",
             [(f"spool_backlog_age_seconds{{{AT}}}", "{{instance}}")], (60, 600)),
            ("Lag of Kafka", "none", "timeseries", [(f"kafka_consumer_lag_messages{{{AT}}}", "{{instance}}")], (10000, 1000000)),
            ("Kafka connected", "none", "stat", [(f"kafka_up{{{AT}}}", "{{instance}}")], None),
            ("Followed files", "none", "timeseries", [
                (f"tail_files{{{AT}}}", "followed {{instance}}"),
                (f"tail_files_left_out{{{AT}}}", "left out {{instance}}")], None),
        ]),
        ("What is refused or lost", [
            ("Refused, to be sent again", "cps", "timeseries", [
                (rate("ingest_refused_total", "source, reason"), "{{source}} {{reason}}"),
                (rate("spool_held_back_total", "instance"), "held back {{instance}}")], None),
            ("Lost", "cps", "timeseries", [
                (rate("ingest_dropped_total", "source, reason"), "{{source}} {{reason}}"),
                (rate("spool_lost_bytes_total", "instance"), "bytes of the spool {{instance}}")], None),
            ("Cannot be read", "cps", "timeseries", [
                (rate("kafka_unreadable_messages_total", "reason"), "Kafka {{reason}}"),
                (rate("tail_errors_total", "instance"), "files {{instance}}")], None),
        ]),
    ]),
}


def panel(number, place, title, unit, kind, targets, limits):
    steps = [{"color": "green", "value": None}]
    if limits:
        steps += [{"color": "orange", "value": limits[0]}, {"color": "red", "value": limits[1]}]
    field = {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "timeseries" and limits:
        field["custom"] = {"thresholdsStyle": {"mode": "line"}}
    source = {"type": "prometheus", "uid": "prometheus"}
    asked = [{"refId": chr(65 + at), "datasource": source, "expr": expression, "legendFormat": legend,
              "instant": kind != "timeseries"} for at, (expression, legend) in enumerate(targets)]
    return {"id": number, "type": kind, "title": title, "datasource": source, "gridPos": place,
            "fieldConfig": {"defaults": field, "overrides": []}, "targets": asked}


def board(name, title, rows):
    panels, y = [], 0
    for row, content in rows:
        panels.append({"id": len(panels) + 1, "type": "row", "title": row, "collapsed": False, "panels": [],
                       "gridPos": {"h": 1, "w": 24, "x": 0, "y": y}})
        y += 1
        for at, (label, unit, kind, targets, limits) in enumerate(content):
            place = {"h": 7, "w": 8, "x": at % 3 * 8, "y": y + at // 3 * 7}
            panels.append(panel(len(panels) + 1, place, label, unit, kind, targets, limits))
        y += (len(content) + 2) // 3 * 7
    source = {"type": "prometheus", "uid": "prometheus"}
    choice = [{"name": key, "type": "query", "datasource": source, "query": query, "refresh": 2, "includeAll": True,
               "multi": True, "allValue": ".*", "current": {"text": "All", "value": "$__all"}}
              for key, query in (("job", "label_values(process_cpu_limit_cores, job)"),
                                 ("instance", 'label_values(process_cpu_limit_cores{job=~"$job"}, instance)'))]
    return {"uid": f"c0di3-{name}", "title": title, "tags": ["c0di3"], "schemaVersion": 39, "timezone": "utc",
            "refresh": "30s", "time": {"from": "now-6h", "to": "now"}, "templating": {"list": choice}, "panels": panels}


def main():
    stale = []
    for name, (title, rows) in BOARDS.items():
        path = FOLDER / f"{name}.json"
        text = json.dumps(board(name, title, rows), indent=1) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(str(path))
    if stale:
        sys.exit(f"not what dashboards.py writes: {', '.join(stale)}; run it without --check")


main()
