#!/bin/sh
# Whether a model can be loaded: check-model.sh FILE [SHA256]. It must be a GGUF file and, where a sum is given, the one meant.
set -eu
file=$1 sum=${2:-}
[ -s "$file" ] || { echo "there is no model $file: put one there, or take llm out of COMPOSE_PROFILES" >&2; exit 1; }
[ "$(head -c 4 "$file")" = GGUF ] || { echo "$file is no GGUF file" >&2; exit 1; }
[ -z "$sum" ] || echo "$sum  $file" | sha256sum -c - >/dev/null 2>&1 || { echo "$file is not the model with SHA-256 $sum" >&2; exit 1; }
echo "the model $file can be loaded"
