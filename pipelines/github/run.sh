#!/usr/bin/env bash
# Becomes the command, so that the runner's signals reach it. What it is asked for is in the environment.
set -euo pipefail

program="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/teal.pyz"
if [[ ! -f "$program" ]]; then
  echo "::error title=Teal::The action has no teal.pyz: use a released tag of it, or run 'make command'"
  exit 2
fi
for python in python3.13 python3.12 python3.11 python3 python; do
  if command -v "$python" > /dev/null && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
    break
  fi
done

arguments=(deploy "$TEAL_GROUP" "--at-gate=$TEAL_AT_GATE" "--on-cancel=$TEAL_ON_CANCEL" "--timeout=$TEAL_TIMEOUT")
if [[ -n "$TEAL_IMAGE" ]]; then
  arguments+=("--image=$TEAL_IMAGE")
fi
if [[ "$TEAL_WAIT" != "false" ]]; then
  arguments+=(--wait)
fi
if [[ "$TEAL_MATRIX" != "null" || -n "$TEAL_RUN_KEY" ]]; then
  arguments+=("--key=$TEAL_RUN_KEY $TEAL_MATRIX")
fi
while IFS= read -r option; do
  if [[ -n "${option// /}" ]]; then
    arguments+=("$option")
  fi
done <<< "$TEAL_OPTIONS"

exec "$python" "$program" "${arguments[@]}"
