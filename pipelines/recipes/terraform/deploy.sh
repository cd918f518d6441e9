#!/usr/bin/env bash
# Terraform's `local-exec` runs this. TEAL_URL and TEAL_KEY or TEAL_RESOURCE are the caller's. Terraform holds its state's
# lock meanwhile; a deployment whose Terraform was killed goes on, and the next `apply` finds it by its key.
set -euo pipefail
exec teal deploy "$TEAL_GROUP" --image "$TEAL_IMAGE" --key "terraform $TEAL_GROUP $TEAL_IMAGE" --wait --on-cancel leave
