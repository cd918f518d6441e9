targetScope = 'subscription'

metadata description = 'Teal in a resource group of its own, and the rights that it needs elsewhere.'

import { scaleSetGroup, values, warmInstances } from 'types.bicep'

@description('The name of the azd environment. Names of resources are made from it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region of all resources: one in which Flex Consumption is offered.')
@metadata({ azd: { type: 'location' } })
@minLength(1)
param location string

@description('The scale sets that Teal may deploy to. It may change nothing else.')
param groups scaleSetGroup[] = []

@description('Where the rights come from: roles of Teal\'s own with nothing but what it needs, or Azure\'s own, which allow more, where a tenant forbids custom roles.')
@allowed(['custom', 'builtIn'])
param roles string = 'custom'

@description('Give the identity the right to read sizes, quotas and the marketplace in the subscriptions of the groups. Without it a deployment says that it could not check them.')
param subscriptionReads bool = roles == 'custom'

@description('Instances that are kept warm.')
param alwaysReady warmInstances = { durable: 1, http: 0, imagePublished: 0 }

@description('The most instances of each group of functions. Less than 40 is refused in some regions.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('The memory of an instance, in MB. It decides the cores too: a quarter, one, or two.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('The client id of the app registration that infra/entra.sh makes. Empty: callers have keys.')
param entraClientId string = ''

@description('Whose key is whose: hashes that infra/role_keys.py writes.')
param roleKeys string = ''

@description('Further settings of Teal by name, as README.md lists them. A secret is named, not told: @Microsoft.KeyVault(SecretUri=…).')
param settings values = {}

@description('Keep the storage account to a virtual network, which the app is in.')
param vnetEnabled bool = false

@description('The addresses of that network: two /27 of it are used at least.')
param vnetAddressPrefix string = '10.90.0.0/24'

@description('The resource id of a storage account of yours. Empty: one is made. It needs the containers app-package and dead-letters.')
param storageAccountId string = ''

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionInDays int = 30

@description('Tags of all resources.')
param tags values = {}

var abbreviations = loadJsonContent('abbreviations.json')
var resourceToken = toLower(uniqueString(subscription().id, environmentName, location))
var allTags = union(tags, { 'azd-env-name': environmentName })

// Ids as ARM compares them: without regard to case. Two groups in Prod and prod would get one assignment twice.
var scaleSetIds = [for group in groups: toLower(group.scaleSetId)]
var groupScopes = union([], map(scaleSetIds, id => split(id, '/providers/')[0]))
var networkScopes = filter(
  union([], flatten(map(groups, group => map(group.?networkScopes ?? [], id => toLower(id))))),
  id => !contains(groupScopes, id)
)
var galleryIds = filter(union([], map(groups, group => toLower(group.?galleryId ?? ''))), id => !empty(id))
var topicIds = filter(union([], map(groups, group => toLower(group.?galleryTopicId ?? ''))), id => !empty(id))
var allScopes = concat(groupScopes, networkScopes, galleryIds)
var subscriptionIds = union([], map(allScopes, id => split(id, '/')[2]))

var ownStorage = empty(storageAccountId)
var storageName = ownStorage ? '${abbreviations.storageStorageAccounts}${resourceToken}' : last(split(storageAccountId, '/'))
var storageGroup = {
  subscription: ownStorage ? subscription().subscriptionId : split(storageAccountId, '/')[2]
  name: ownStorage ? '${abbreviations.resourcesResourceGroups}${environmentName}' : split(storageAccountId, '/')[4]
}

// The one resource group: `azd down` deletes each group that the template declares.
resource resourceGroup_ 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbreviations.resourcesResourceGroups}${environmentName}'
  location: location
  tags: allTags
}

module identity 'modules/identity.bicep' = {
  scope: resourceGroup_
  params: {
    name: '${abbreviations.managedIdentityUserAssignedIdentities}${resourceToken}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: resourceGroup_
  params: {
    workspaceName: '${abbreviations.operationalInsightsWorkspaces}${resourceToken}'
    componentName: '${abbreviations.insightsComponents}${resourceToken}'
    location: location
    tags: tags
    retentionInDays: logRetentionInDays
    principalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = if (ownStorage) {
  scope: resourceGroup_
  params: {
    name: storageName
    location: location
    tags: tags
    publicNetworkAccess: vnetEnabled ? 'Disabled' : 'Enabled'
  }
}

module storageRights 'modules/storage-rights.bicep' = {
  scope: resourceGroup(storageGroup.subscription, storageGroup.name)
  params: { accountName: storageName, principalId: identity.outputs.principalId }
  dependsOn: [storage]
}

resource topics 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = [
  for id in topicIds: { name: split(id, '/')[8], scope: resourceGroup(split(id, '/')[2], split(id, '/')[4]) }
]

module deadLetterRights 'modules/dead-letter-rights.bicep' = [
  for (id, i) in topicIds: {
    scope: resourceGroup(storageGroup.subscription, storageGroup.name)
    params: { accountName: storageName, principalId: topics[i].identity.principalId }
    dependsOn: [storage]
  }
]

module network 'modules/network.bicep' = if (vnetEnabled) {
  scope: resourceGroup_
  params: {
    name: '${abbreviations.networkVirtualNetworks}${resourceToken}'
    endpointPrefix: abbreviations.networkPrivateEndpoints
    location: location
    tags: tags
    addressPrefix: vnetAddressPrefix
    storageAccountId: ownStorage ? storage!.outputs.resourceId : storageAccountId
  }
}

// The rights come first: the app uploads its package by them, and they take a while to be known everywhere.
module app 'modules/app.bicep' = {
  scope: resourceGroup_
  params: {
    name: '${abbreviations.webSitesFunctions}${resourceToken}'
    planName: '${abbreviations.webServerFarms}${resourceToken}'
    location: location
    tags: tags
    serviceName: 'api'
    userAssignedIdentityResourceId: identity.outputs.resourceId
    userAssignedIdentityClientId: identity.outputs.clientId
    storageAccountName: storageName
    storageResourceGroup: storageGroup
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    alwaysReady: alwaysReady
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    entraClientId: entraClientId
    virtualNetworkSubnetId: vnetEnabled ? network!.outputs.appSubnetId : ''
    allowedScopes: join(union(scaleSetIds, galleryIds), ',')
    roleKeys: roleKeys
    settings: settings
  }
  dependsOn: [storageRights]
}

module customRoles 'modules/custom-roles.bicep' = if (roles == 'custom') {
  params: {
    environmentName: environmentName
    resourceToken: resourceToken
    subscriptionIds: union([subscription().subscriptionId], subscriptionIds)
  }
}

module rights 'modules/rights.bicep' = {
  params: {
    resourceToken: resourceToken
    roles: roles
    principalId: identity.outputs.principalId
    groupScopes: groupScopes
    networkScopes: networkScopes
    galleryIds: galleryIds
    subscriptionIds: subscriptionReads ? union([], map(groupScopes, id => split(id, '/')[2])) : []
  }
  dependsOn: [customRoles]
}

output AZURE_RESOURCE_GROUP string = resourceGroup_.name
output TEAL_APP_ID string = app.outputs.resourceId
output TEAL_APP_NAME string = app.outputs.name
output TEAL_PRINCIPAL_ID string = identity.outputs.principalId
output TEAL_ROLE_IDS string[] = rights.outputs.roleIds
output TEAL_STORAGE_ID string = ownStorage ? storage!.outputs.resourceId : storageAccountId
output TEAL_URL string = app.outputs.url
