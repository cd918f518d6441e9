targetScope = 'subscription'

metadata description = 'The rights of Teal\'s identity outside of its own resource group: on what the list of groups names.'

param resourceToken string
param roles string
param principalId string
param groupScopes string[]
param networkScopes string[]
param galleryIds string[]
param subscriptionIds string[]

var isCustom = roles == 'custom'
var reader = 'acdd72a7-3385-48ef-bd42-f606fba81ae7'
var onGroup = isCustom
  ? [guid(resourceToken, 'group')]
  : [
      '9980e02c-c2be-4d73-94e8-173b1dc7cf3c' // Virtual Machine Contributor
      '749f88d5-cbae-40b8-bcfc-e573ddc772fa' // Monitoring Contributor: autoscale
      '4d97b98b-1d4f-4787-a291-c67834d212e7' // Network Contributor
      'f1a07417-d97a-45cb-824c-7a7467783830' // Managed Identity Operator: sets whose VMs have identities
      reader // managed images
    ]
var onNetwork = isCustom ? guid(resourceToken, 'network') : '4d97b98b-1d4f-4787-a291-c67834d212e7'
var onGallery = isCustom ? guid(resourceToken, 'gallery') : reader
var onSubscription = isCustom ? guid(resourceToken, 'subscription') : reader
var pairs = flatten(map(groupScopes, scope => map(onGroup, roleId => { scope: scope, roleId: roleId })))

module ofGroups 'group-right.bicep' = [
  for pair in concat(pairs, map(networkScopes, scope => { scope: scope, roleId: onNetwork })): {
    scope: resourceGroup(split(pair.scope, '/')[2], split(pair.scope, '/')[4])
    params: { principalId: principalId, roleId: pair.roleId }
  }
]

module ofGalleries 'gallery-right.bicep' = [
  for id in galleryIds: {
    scope: resourceGroup(split(id, '/')[2], split(id, '/')[4])
    params: { galleryName: last(split(id, '/')), principalId: principalId, roleId: onGallery }
  }
]

module ofSubscriptions 'subscription-right.bicep' = [
  for id in subscriptionIds: {
    scope: subscription(id)
    params: { principalId: principalId, roleId: onSubscription }
  }
]

output roleIds string[] = union(onGroup, [onNetwork, onGallery, onSubscription])
