# Sourced by the other scripts: `python` and `program`, and who the service connection is.
program="${TEAL_PROGRAM:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../github" && pwd)/teal.pyz}"
if [[ ! -f "$program" ]]; then
  echo "##vso[task.logissue type=error]There is no teal.pyz: check out a released tag of Teal, or run 'make command'"
  exit 2
fi
for python in python3.13 python3.12 python3.11 python3 python; do
  if command -v "$python" > /dev/null && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
    break
  fi
done
# What AzureCLI@2 tells of its service connection with addSpnToEnvironment.
export AZURE_CLIENT_ID="${AZURE_CLIENT_ID:-${servicePrincipalId:-}}" AZURE_TENANT_ID="${AZURE_TENANT_ID:-${tenantId:-}}"
