metadata description = 'The function app on Flex Consumption.'

import { values, warmInstances } from '../types.bicep'

param name string
param planName string
param location string
param tags values
param serviceName string
param userAssignedIdentityResourceId string
param userAssignedIdentityClientId string
param storageAccountName string
param storageResourceGroup { subscription: string, name: string }
param applicationInsightsConnectionString string
param alwaysReady warmInstances
param maximumInstanceCount int
param instanceMemoryMB int
param entraClientId string
param virtualNetworkSubnetId string
param allowedScopes string
param roleKeys string
param settings values

// A count of 0 is none: Azure takes it and says nothing.
var warm = filter(
  [
    { name: 'durable', instanceCount: alwaysReady.durable }
    { name: 'http', instanceCount: alwaysReady.http }
    { name: 'function:imagePublished', instanceCount: alwaysReady.imagePublished }
  ],
  each => each.instanceCount > 0
)

var optional = union(
  empty(entraClientId) ? {} : { TEAL_AUTH_MODE: 'entra' },
  empty(roleKeys) ? {} : { TEAL_ROLE_KEYS: roleKeys }
)

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName
  scope: resourceGroup(storageResourceGroup.subscription, storageResourceGroup.name)
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${userAssignedIdentityResourceId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: userAssignedIdentityResourceId // settings that are secrets are references
    virtualNetworkSubnetId: empty(virtualNetworkSubnetId) ? null : virtualNetworkSubnetId
    siteConfig: { minTlsVersion: '1.2' }
    functionAppConfig: {
      runtime: { name: 'python', version: '3.12' }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}app-package'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: userAssignedIdentityResourceId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: warm
      }
      // The old code ends before the new begins: recipes of two releases never work on one history at once. What runs
      // is cut off, and goes on after it; rolling updates are a preview.
      #disable-next-line BCP037 // API 2025-05-01 has the type, which the compiler does not know yet
      siteUpdateStrategy: { type: 'Recreate' }
    }
  }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(settings, optional, {
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${userAssignedIdentityClientId};Authorization=AAD'
      APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
      AZURE_CLIENT_ID: userAssignedIdentityClientId
      AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
      AzureWebJobsStorage__clientId: userAssignedIdentityClientId
      AzureWebJobsStorage__credential: 'managedidentity'
      AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
      TEAL_ALLOWED_SCOPES: empty(allowedScopes) ? ',' : allowedScopes // a comma alone allows nothing
      TEAL_ARM_ENDPOINT: environment().resourceManager
      TEAL_TABLES_ENDPOINT: storage.properties.primaryEndpoints.table
    })
  }

  resource authentication 'config' = if (!empty(entraClientId)) {
    name: 'authsettingsV2'
    properties: {
      // Teal itself refuses who has no token: health, and what Event Grid and VMs call with a key, are open to all.
      globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: entraClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: { allowedAudiences: [entraClientId, 'api://${entraClientId}'] }
        }
      }
      platform: { enabled: true }
    }
  }
}

output name string = site.name
output resourceId string = site.id
output url string = 'https://${site.properties.defaultHostName}'
