#!/usr/bin/env bash
# A GitHub deployment around Teal's: `open` before it, `close` with its end. Never fails the step: it only tells.
set -euo pipefail

ask() {
  curl -sS --fail-with-body --max-time 30 -X POST \
    -H @<(printf 'Authorization: Bearer %s\n' "$GH_TOKEN") -H 'Accept: application/vnd.github+json' \
    "$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/$1" -d @-
}

open() {
  local id
  id=$(jq -n --arg ref "$GITHUB_SHA" --arg environment "$TEAL_ENVIRONMENT" \
    '{$ref, $environment, auto_merge: false, required_contexts: [], description: "Teal"}' \
    | ask deployments | jq -r '.id // empty') || return 1
  [[ "$id" =~ ^[0-9]+$ ]] || return 1
  echo "deployment=$id" >> "$GITHUB_OUTPUT"
  jq -n '{state: "in_progress"}' | ask "deployments/$id/statuses" > /dev/null
}

close() {
  local state
  case "$TEAL_STATUS" in
    finished) state=success ;;
    awaitingApproval | queued | pending | inProgress | paused | baking) state=in_progress ;;
    stopped | stopping) state=inactive ;;
    failed | rolledBack | rollingBack) state=failure ;;
    *) state=error ;;
  esac
  jq -n --arg state "$state" --arg page "$TEAL_PAGE" '{$state, environment_url: $page, auto_inactive: true}' \
    | ask "deployments/$TEAL_GITHUB_DEPLOYMENT/statuses" > /dev/null
}

"$1" || echo "::warning title=Teal::The GitHub deployment is not written: the job needs the permission deployments: write"
