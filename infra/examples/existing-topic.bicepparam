using '../main.bicep'

// Somebody has a system topic for the gallery's resource group. Azure's own roles, as custom ones are forbidden.
param environmentName = 'teal'
param location = 'westeurope'
param roles = 'builtIn'
param groups = [
  {
    id: 'web'
    scaleSetId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/web/providers/Microsoft.Compute/virtualMachineScaleSets/web'
    galleryId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/images/providers/Microsoft.Compute/galleries/apps'
    galleryTopicId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/images/providers/Microsoft.EventGrid/systemTopics/writes'
    networkScopes: ['/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/network']
  }
]
