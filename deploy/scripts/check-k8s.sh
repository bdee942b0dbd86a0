#!/usr/bin/env bash
# Validates k8s/ against the Kubernetes schemas: check-k8s.sh TOOLS_FOLDER. Fetches the validator once. Probes of ours ask
# /ready or /live, never /health, and say how long they wait: the default of one second is near to what a busy node needs.
set -euo pipefail
folder=$1
[ -x "$folder/python/bin/python" ] || python3 -m venv "$folder/python"
"$folder/python/bin/python" -c 'import kubernetes_validate' 2>/dev/null || "$folder/python/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate
"$folder/python/bin/python" - k8s/*.yaml <<'PYTHON'
import sys, yaml, kubernetes_validate
def check_probes(path, document):
    spec = document.get("spec", {}).get("template", {}).get("spec", {})
    for container in spec.get("containers", []):
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            probe = container.get(kind, {})
            asked = probe.get("httpGet", {}).get("path")
            if probe and "timeoutSeconds" not in probe:
                sys.exit(f"{path}: {container['name']}: {kind} sets no timeoutSeconds")
            if asked is not None and asked != ("/live" if kind == "livenessProbe" else "/ready"):
                sys.exit(f"{path}: {container['name']}: {kind} asks {asked}")

count = 0
for path in sys.argv[1:]:
    for document in yaml.safe_load_all(open(path)):
        if document["kind"] == "Kustomization":
            continue
        kubernetes_validate.validate(document, "1.31", strict=True)
        check_probes(path, document)
        count += 1
print(f"{count} Kubernetes objects are valid")
PYTHON
