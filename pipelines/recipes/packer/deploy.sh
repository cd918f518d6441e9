#!/usr/bin/env bash
# Packer's `shell-local` runs this when the image is published. TEAL_URL and TEAL_KEY or TEAL_RESOURCE are the caller's.
set -euo pipefail
exec teal deploy "$TEAL_GROUP" --image "$TEAL_IMAGE" --key "packer $TEAL_IMAGE" --wait
