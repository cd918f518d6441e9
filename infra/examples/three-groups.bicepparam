using '../main.bicep'

// Three sets, two of them in one resource group that is written in two ways, behind networks that they share.
param environmentName = 'teal'
param location = 'westeurope'
param groups = [
  {
    id: 'web'
    scaleSetId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/Prod/providers/Microsoft.Compute/virtualMachineScaleSets/web'
    networkScopes: ['/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/Network']
    galleryId: '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/images/providers/Microsoft.Compute/galleries/apps'
  }
  {
    id: 'api'
    scaleSetId: '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/prod/providers/Microsoft.Compute/virtualMachineScaleSets/api'
    networkScopes: [
      '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/network'
      '/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/PROD'
    ]
    galleryId: '/subscriptions/33333333-3333-3333-3333-333333333333/resourceGroups/Images/providers/Microsoft.Compute/galleries/Apps'
  }
  {
    id: 'jobs'
    scaleSetId: '/subscriptions/44444444-4444-4444-4444-444444444444/resourceGroups/jobs/providers/Microsoft.Compute/virtualMachineScaleSets/jobs'
  }
]
