#!/usr/bin/env bash
# Starts a deployment and waits for its end with curl and jq alone; stops it where this is interrupted.
#   TEAL_URL=https://{app}.azurewebsites.net TEAL_KEY=… deploy.sh web 1.1.0
set -euo pipefail

group=$1 image=$2
headers=$(mktemp) body=$(mktemp)
deployment=

# The status of an answer; its headers and body are in files. The key is in no command line.
ask() {
  curl -sS --max-time 60 -D "$headers" -o "$body" -w '%{http_code}' \
    -H @<(printf 'x-functions-key: %s\n' "${TEAL_KEY:-}") -H 'content-type: application/json' "$@" || true
}
header() { sed -n "s/^$1: *//Ip" "$headers" | tr -d '\r' | tail -1; }
leave() {
  if [[ -n "$deployment" ]]; then
    echo "Stopping $deployment"
    ask -X POST "$TEAL_URL/api/deployments/$deployment/stop" -d '{}' > /dev/null
  fi
  exit 130
}
trap leave INT TERM
trap 'rm -f "$headers" "$body"' EXIT

key="curl-$(date +%s)-$$"
request=$(jq -n --arg image "$image" '{$image}')
for ((attempt = 1; attempt <= 10; attempt++)); do
  status=$(ask -X POST "$TEAL_URL/api/groups/$group/deployments" -H "Idempotency-Key: $key" -d "$request")
  case "$status" in
    202) break ;;
    000 | 429 | 5??) sleep "${TEAL_INTERVAL:-15}" ;;
    *) jq -r '.error.message' "$body" && exit 1 ;;
  esac
done
[[ "$status" == 202 ]] || { echo "No answer of $TEAL_URL" && exit 1; }
deployment=$(jq -r .id "$body")
location=$(header location)
echo "Started $deployment"

while true; do
  sleep "${TEAL_INTERVAL:-$(header retry-after)}" &
  wait $!
  status=$(ask "$location")
  case "$status" in
    200) jq -r .reason "$body" && exit 0 ;;
    409) jq -r .error.message "$body" && exit 1 ;;
    401 | 403) echo "Not allowed ($status)" && exit 1 ;;
  esac
done
