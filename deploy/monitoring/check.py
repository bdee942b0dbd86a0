#!/usr/bin/env python3
"""Checks rules, their tests and the dashboards against the program: check.py PROMTOOL.

Every metric that a rule or a panel asks for is one that the program counts; every expression is one that Prometheus reads;
every alert names its severity, what to do and a section of RUNBOOK.md, and is tested to fire and to clear."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import yaml

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
PROMETHEUS = HERE / "prometheus"
# Kept by Prometheus itself.
OF_PROMETHEUS = {"up", "ALERTS"}
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "offset", "bool", "inf", "nan"}
problems = []


def counted():
    """Names as the program exposes them; histograms by their three series."""
    names = {}
    for path in ROOT.glob("crates/*/src/**/*.rs"):
        for kind, name in re.findall(r'\b(counter|gauge|histogram)!\(\s*"([a-z0-9_]+)"', path.read_text()):
            names[name] = kind
    exposed = set()
    for name, kind in names.items():
        exposed |= {name + end for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return exposed


def asked(expression):
    """Names of the series that an expression asks for."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    found = re.finditer(r"(?<![\w.:$])([a-zA-Z_:][\w:]*)\s*(\(?)", bare)
    return {name for name, call in (match.groups() for match in found) if not call and name not in WORDS}


def headings(path):
    """Anchors of a page, as its reader makes them."""
    titles = re.findall(r"^#+ (.*)$", path.read_text(), re.M)
    return {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in titles}


def check_alert(rule, anchors, expected):
    name, annotations = rule["alert"], rule.get("annotations", {})
    if rule.get("labels", {}).get("severity") not in ("warning", "critical"):
        problems.append(f"{name}: severity is neither warning nor critical")
    problems.extend(f"{name}: no {key}" for key in ("summary", "action", "runbook") if not annotations.get(key))
    page, _, anchor = annotations.get("runbook", "").partition("#")
    if page != "RUNBOOK.md" or anchor not in anchors:
        problems.append(f"{name}: RUNBOOK.md has no section `{anchor}`")
    values = expected.get(name, [])
    # Quiet, firing, quiet again: in one of its tests.
    if not any(seen[0] == 0 and max(seen) > 0 and seen[-1] == 0 for seen in values):
        problems.append(f"{name}: no test sees it quiet, firing and cleared")


def main():
    promtool = sys.argv[1]
    known, boards = counted() | OF_PROMETHEUS, []
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = {rule["record"] for rule in rules if "record" in rule}
    expected = {}
    for path in PROMETHEUS.glob("*_test.yml"):
        for test in yaml.safe_load(path.read_text())["tests"]:
            values = [sample["value"] for one in test["promql_expr_test"] for sample in one["exp_samples"]]
            expected.setdefault(test["name"].split(",")[0], []).append(values)
    anchors = headings(ROOT / "RUNBOOK.md")
    for rule in rules:
        if "alert" in rule:
            check_alert(rule, anchors, expected)
    for path in sorted(HERE.glob("grafana/dashboards/*.json")):
        board = json.loads(path.read_text())
        identities = [panel["id"] for panel in board["panels"]]
        if len(set(identities)) != len(identities):
            problems.append(f"{path.name}: two panels have one id")
        for panel in board["panels"]:
            boards += [(f"{path.name}: {panel['title']}", target["expr"]) for target in panel.get("targets", [])]
    expressions = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules] + boards
    for place, expression in expressions:
        problems.extend(f"{place}: the program counts no `{name}`" for name in sorted(asked(expression) - known - recorded))
    # Panels as rules, so that promtool reads their expressions.
    plain = [expression.replace("$__rate_interval", "5m").replace("$job", ".*").replace("$instance", ".*") for _, expression in boards]
    panels = {"groups": [{"name": "panels", "rules": [{"record": f"panel:{at}", "expr": one} for at, one in enumerate(plain)]}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump(panels, file)
        file.flush()
        checks = [["check", "rules", "--lint=none", file.name], ["check", "config", "--syntax-only", str(PROMETHEUS / "prometheus.yml")],
                  ["check", "rules", str(PROMETHEUS / "rules.yml")],
                  ["test", "rules", *(str(path) for path in sorted(PROMETHEUS.glob("*_test.yml")))]]
        for check in checks:
            done = subprocess.run([promtool, *check], capture_output=True, text=True)
            if done.returncode != 0:
                problems.append(f"promtool {' '.join(check[:2])}: {done.stdout}{done.stderr}")
    if problems:
        sys.exit("\n".join(problems))
    alerts = sum("alert" in rule for rule in rules)
    print(f"monitoring: {alerts} alerts fire and clear, {len(boards)} panel expressions, {len(known)} series known")


main()
