"""Kubernetes objects against the schemas of three versions, and our own rules: check-k8s.py FILE... Asks no cluster."""
import pathlib
import re
import sys
import tomllib

import kubernetes_validate
import yaml

VERSIONS = ("1.29", "1.33", "1.37")
defaults = tomllib.loads(pathlib.Path("crates/c0di3/src/config/default.toml").read_text())
settings = {f"C0DI3_{section}_{key}".upper() for section, keys in defaults.items() for key in keys}
problems = []


def claim(condition, words):
    if not condition:
        problems.append(words)


def pods(document):
    """The pod specification in a workload, if it is one."""
    kind, spec = document["kind"], document.get("spec", {})
    if kind == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"]["spec"] if kind in ("Deployment", "StatefulSet", "Job", "CronJob") else None


def setting(name):
    return name in settings or (name.endswith("_FILE") and name.removesuffix("_FILE") in settings)


def check_container(place, container, serves):
    context = container.get("securityContext", {})
    claim(context.get("allowPrivilegeEscalation") is False, f"{place}: may gain privileges")
    claim(context.get("readOnlyRootFilesystem") is True, f"{place}: its root can be written to")
    claim(context.get("capabilities", {}).get("drop") == ["ALL"], f"{place}: keeps capabilities")
    for kind in ("requests", "limits"):
        claim({"cpu", "memory"} <= set(container.get("resources", {}).get(kind, {})), f"{place}: no {kind}")
    for variable in container.get("env", []):
        name = variable["name"]
        claim("secretKeyRef" not in variable.get("valueFrom", {}), f"{place}: {name} is a secret in the environment")
        claim(not name.startswith("C0DI3_") or setting(name), f"{place}: {name} names no setting")
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container.get(kind, {})
        claim(not serves or probe, f"{place}: no {kind}")
        claim(not probe or "timeoutSeconds" in probe, f"{place}: {kind} sets no timeoutSeconds")
        asked = probe.get("httpGet", {}).get("path")
        if asked is not None and container["image"].startswith("core-agent"):
            # A database that is away must not restart every pod.
            claim(asked == ("/live" if kind == "livenessProbe" else "/ready"), f"{place}: {kind} asks {asked}")


def check(path):
    documents = [document for document in yaml.safe_load_all(pathlib.Path(path).read_text()) if document]
    documents = [one for one in documents if one["kind"] not in ("Kustomization", "Component")]
    kinds = {}
    for document in documents:
        kind, name = document["kind"], document["metadata"]["name"]
        kinds.setdefault(kind, {})[name] = document
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                problems.append(f"{path}: {kind}/{name}, Kubernetes {version}: {error.message}")
        place = f"{pathlib.Path(path).name}: {kind}/{name}"
        claim(kind == "Namespace" or document["metadata"].get("namespace") == "core-agent", f"{place}: in no namespace")
        spec = pods(document)
        if spec is None:
            continue
        context = spec.get("securityContext", {})
        claim(context.get("runAsNonRoot") is True, f"{place}: may run as root")
        claim(context.get("seccompProfile", {}).get("type") == "RuntimeDefault", f"{place}: no seccomp profile")
        claim(spec.get("automountServiceAccountToken") is False, f"{place}: gets a token of the Kubernetes API")
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        volumes |= {claim_["metadata"]["name"] for claim_ in document["spec"].get("volumeClaimTemplates", [])}
        for container in spec["containers"] + spec.get("initContainers", []):
            serves = kind in ("Deployment", "StatefulSet") and container in spec["containers"]
            check_container(f"{place}/{container['name']}", container, serves and name != "redis")
            mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
            claim(mounted <= volumes, f"{place}: mounts {sorted(mounted - volumes)}, which are no volumes")
        if kind == "CronJob":
            claim(document["spec"].get("concurrencyPolicy") == "Forbid", f"{place}: may run twice at once")
    names = {kind: set(of_kind) for kind, of_kind in kinds.items()}
    claim({"core-agent"} <= names.get("Deployment", set()), f"{path}: no Deployment core-agent")
    claim("core-agent-config" in names.get("ConfigMap", set()), f"{path}: no ConfigMap core-agent-config")
    for key in kinds["ConfigMap"]["core-agent-config"]["data"]:
        claim(setting(key), f"{path}: core-agent-config: {key} names no setting")
    ingress = kinds["Ingress"]["core-agent-ingress"]["spec"]
    claim(ingress.get("tls"), f"{path}: the ingress has no TLS")
    published = [one["path"] for rule in ingress["rules"] for one in rule["http"]["paths"]]
    hidden = ("/metrics", "/health", "/ready", "/live")
    claim(not any(one == "/" or hide.startswith(one) for one in published for hide in hidden), f"{path}: the ingress publishes {published}")
    denied = kinds["NetworkPolicy"]["default-deny"]["spec"]
    claim(denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, f"{path}: what no policy names is not refused")
    scaled = {(one["spec"]["scaleTargetRef"]["kind"], one["spec"]["scaleTargetRef"]["name"]) for one in kinds["HorizontalPodAutoscaler"].values()}
    for kind, name in scaled:
        claim(name in names.get(kind, set()), f"{path}: {kind}/{name} is scaled and does not exist")
        claim("replicas" not in kinds[kind][name]["spec"], f"{path}: {kind}/{name} sets replicas, which the autoscaler says")
    metrics = {metric.get("pods", {}).get("metric", {}).get("name") for one in kinds["HorizontalPodAutoscaler"].values() for metric in one["spec"]["metrics"]}
    source = "".join(one.read_text() for one in pathlib.Path("crates").glob("*/src/**/*.rs"))
    for metric in metrics - {None}:
        claim(re.search(rf'"{metric}"', source), f"{path}: the program counts no {metric}")
    claim({"backup", "restore-drill", "retention", "vacuum"} <= names.get("CronJob", set()), f"{path}: a CronJob is missing")
    for job in kinds["CronJob"].values():
        for script in re.findall(r"/usr/local/share/c0di3/(\S+?\.sh)", str(job)):
            claim(pathlib.Path("deploy/scripts", script).exists(), f"{path}: {script} does not exist")
    return len(documents)


counts = [check(path) for path in sys.argv[1:]]
if problems:
    sys.exit("\n".join(dict.fromkeys(problems)))
print(f"Kubernetes: {' and '.join(map(str, counts))} objects are valid in {', '.join(VERSIONS)}")
