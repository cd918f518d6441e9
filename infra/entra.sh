#!/usr/bin/env bash
# Make the app registration by which people and pipelines sign in to Teal, and tell azd of it. Run it once, with the
# Azure CLI signed in; run again, it changes nothing. Where users may not register apps it takes an Application
# Developer, in a pipeline the permission Application.ReadWrite.OwnedBy.
#
#   infra/entra.sh [NAME]          NAME is "Teal" where none is given; each deployment of Teal needs one of its own
set -euo pipefail

name="${1:-Teal}"
# Ids need be unique within the registration alone, so they are the same each time.
scope="5e7f6c0a-3a52-4f0e-9d0c-6a1f4f1b7c01"
reader="5e7f6c0a-3a52-4f0e-9d0c-6a1f4f1b7c02"
deployer="5e7f6c0a-3a52-4f0e-9d0c-6a1f4f1b7c03"
approver="5e7f6c0a-3a52-4f0e-9d0c-6a1f4f1b7c04"
administrator="5e7f6c0a-3a52-4f0e-9d0c-6a1f4f1b7c05"
# The Azure CLI, and azd, which signs in as it does.
cli="04b07795-8ddb-461a-bbee-02f9e1bf7b46"

found="$(az ad app list --filter "displayName eq '$name'" --query '[].appId' --output tsv)"
if [ "$(printf '%s' "$found" | grep -c .)" -gt 1 ]; then
  echo "Several app registrations are called $name: give another name, infra/entra.sh NAME" >&2
  exit 1
fi
client="${found:-$(az ad app create --display-name "$name" --sign-in-audience AzureADMyOrg --query appId --output tsv)}"
object="$(az ad app show --id "$client" --query id --output tsv)"

role() { # ID VALUE WORDS
  printf '{"id": "%s", "value": "%s", "displayName": "Teal %s", "description": "%s", "isEnabled": true, "allowedMemberTypes": ["User", "Application"]}' "$1" "$2" "$2" "$3"
}

patch() { # BODY
  az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications/$object" \
    --headers Content-Type=application/json --body "$1"
}

# Tokens of version 2 have the bare client id as their audience; the identifier URI names the same app.
patch '{
  "identifierUris": ["api://'"$client"'"],
  "api": {
    "requestedAccessTokenVersion": 2,
    "oauth2PermissionScopes": [{"id": "'"$scope"'", "value": "user_impersonation", "type": "User", "isEnabled": true,
      "adminConsentDisplayName": "Use Teal", "adminConsentDescription": "Use Teal as the person who is signed in",
      "userConsentDisplayName": "Use Teal", "userConsentDescription": "Use Teal as you"}]
  },
  "appRoles": ['"$(role "$reader" reader 'See deployments')"', '"$(role "$deployer" deployer 'Start and steer deployments')"',
    '"$(role "$approver" approver 'Approve deployments')"', '"$(role "$administrator" administrator 'Everything')"']
}'
# The scope has to be there before anybody can be authorised for it. Without this az account get-access-token
# answers AADSTS65001.
patch '{"api": {"preAuthorizedApplications": [{"appId": "'"$cli"'", "delegatedPermissionIds": ["'"$scope"'"]}]}}'

if ! az ad sp show --id "$client" --output none 2> /dev/null; then
  az ad sp create --id "$client" --output none
fi
azd env set TEAL_ENTRA_CLIENT_ID "$client"
echo "$name is $client. Give people and pipelines their roles under Enterprise applications, then: azd up"
