#!/usr/bin/env bash
# Becomes the command. What it is asked for is in the environment.
set -euo pipefail
# shellcheck source=command.sh
source "$(dirname "${BASH_SOURCE[0]}")/command.sh"

# The cancelling is another step's.
arguments=(deploy "$TEAL_GROUP" --wait "--at-gate=$TEAL_AT_GATE" "--timeout=$TEAL_TIMEOUT" --on-cancel=leave)
if [[ -n "$TEAL_IMAGE" ]]; then
  arguments+=("--image=$TEAL_IMAGE")
fi
options=$("$python" -c 'import json, os; print("\n".join(json.loads(os.environ["TEAL_OPTIONS"] or "[]")))')
while IFS= read -r option; do
  if [[ -n "${option// /}" ]]; then
    arguments+=("$option")
  fi
done <<< "$options"

exec "$python" "$program" "${arguments[@]}"
