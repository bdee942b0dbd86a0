#!/usr/bin/env bash
# Validates k8s/ against the Kubernetes schemas: check-k8s.sh TOOLS_FOLDER. Fetches the validator once.
set -euo pipefail
folder=$1
[ -x "$folder/python/bin/python" ] || python3 -m venv "$folder/python"
"$folder/python/bin/python" -c 'import kubernetes_validate' 2>/dev/null || "$folder/python/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate
"$folder/python/bin/python" - k8s/*.yaml <<'PYTHON'
import sys, yaml, kubernetes_validate
count = 0
for path in sys.argv[1:]:
    for document in yaml.safe_load_all(open(path)):
        if document["kind"] == "Kustomization":
            continue
        kubernetes_validate.validate(document, "1.31", strict=True)
        count += 1
print(f"{count} Kubernetes objects are valid")
PYTHON
