"""What no general checker knows of our compose file: check-compose.py COMPOSE_FILE ENV_EXAMPLE. Starts nothing."""
import pathlib
import re
import sys
import tomllib

import yaml

compose = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())
example = pathlib.Path(sys.argv[2]).read_text()
written = pathlib.Path("docker-compose.yml").read_text()
defaults = tomllib.loads(pathlib.Path("crates/c0di3/src/config/default.toml").read_text())
settings = {f"C0DI3_{section}_{key}".upper() for section, keys in defaults.items() for key in keys}
problems = []


def claim(condition, words):
    if not condition:
        problems.append(words)


services = compose["services"]
# The names that the runbook calls services and containers by.
for name in ("core-agent", "log-analyzer", "postgres", "redis", "llm-service"):
    claim(name in services, f"no service {name}")
for name, service in services.items():
    claim(service.get("container_name") == name, f"{name}: container_name is not {name}")
    claim("mem_limit" in service and "cpus" in service, f"{name}: no limits")
    claim("healthcheck" in service, f"{name}: no healthcheck")
    claim("no-new-privileges:true" in service.get("security_opt", []), f"{name}: may gain privileges")
    claim("max-size" in service.get("logging", {}).get("options", {}), f"{name}: its log grows without end")
    claim(":latest" not in service["image"] or service["image"].startswith("core-agent:"), f"{name}: the image floats")
    for other in service.get("depends_on", {}):
        claim(other in services, f"{name}: depends on {other}, which is no service")
        same = set(services.get(other, {}).get("profiles", [])) >= set(service.get("profiles", []))
        claim(not services.get(other, {}).get("profiles") or same, f"{name}: depends on {other} of another profile")
    for secret in service.get("secrets", []):
        claim(secret in compose["secrets"], f"{name}: the secret {secret} is not defined")
    for key, value in (service.get("environment") or {}).items():
        ours = key.removesuffix("_FILE") if key not in settings else key
        claim(not key.startswith("C0DI3_") or ours in settings, f"{name}: {key} names no setting")
        claim(not re.search("PASSWORD|SECRET|TOKEN_|API_KEY", key) or key.endswith("FILE"), f"{name}: {key} is a secret in the environment")
        claim("://" not in str(value) or "@" not in str(value), f"{name}: {key} holds a password")
    if service["image"].startswith("core-agent:"):
        claim(service.get("read_only") is True and service.get("cap_drop") == ["ALL"], f"{name}: its container can be written to")
    if name in ("core-agent", "log-analyzer"):
        claim(any(str(one).endswith(":/app/logs") for one in service["volumes"]), f"{name}: /app/logs is not mounted")
asked = set(re.findall(r"\$\{([A-Z_0-9]+):-", written))
told = set(re.findall(r"^([A-Z_0-9]+)=", example, re.M))
claim(asked <= told, f".env.example does not tell of {sorted(asked - told)}")
claim(told - asked <= {"COMPOSE_PROFILES"}, f".env.example tells of {sorted(told - asked)}, which nobody asks for")
used = {str(one).split(":")[0] for service in services.values() for one in service.get("volumes", []) if not str(one).startswith((".", "/"))}
claim(used == set(compose["volumes"]), f"volumes differ: {sorted(used ^ set(compose['volumes']))}")
docker = pathlib.Path("Dockerfile").read_text()
claim("--interval=30s --timeout=3s --start-period=40s --retries=3" in docker, "HEALTHCHECK is not the runbook's")
claim(re.search(r"^USER 10001", docker, re.M), "the image runs as root")
stages = re.findall(r"^FROM (\S+)", docker, re.M)
claim(len(stages) > 1 and not stages[-1].startswith("rust"), "the image holds what only building needs")
if problems:
    sys.exit("\n".join(problems))
print(f"compose: {len(services)} services, {len(asked)} variables, all sound")
