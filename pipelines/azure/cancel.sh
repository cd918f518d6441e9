#!/usr/bin/env bash
# What a cancelled job does with its deployment.
set -euo pipefail
# shellcheck source=command.sh
source "$(dirname "${BASH_SOURCE[0]}")/command.sh"

case "$TEAL_ON_CANCEL" in
  leave) exec "$python" "$program" status "$TEAL_DEPLOYMENT" ;;
  pause | stop) exec "$python" "$program" "$TEAL_ON_CANCEL" "$TEAL_DEPLOYMENT" --comment "the job was cancelled" ;;
  *) echo "##vso[task.logissue type=error]onCancel is leave, pause or stop" && exit 2 ;;
esac
