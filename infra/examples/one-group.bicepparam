using '../main.bicep'

// A scale set and the gallery of its images, with a rule.
param environmentName = 'teal'
param location = 'westeurope'
param groups = [
  {
    id: 'web'
    scaleSetId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/Web/providers/Microsoft.Compute/virtualMachineScaleSets/web'
    galleryId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/images/providers/Microsoft.Compute/galleries/apps'
    body: {
      imageId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/images/providers/Microsoft.Compute/galleries/apps/images/web'
      healthCheckTypes: ['vmState', 'applicationHealth']
    }
  }
]
