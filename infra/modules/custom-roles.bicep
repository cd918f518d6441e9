targetScope = 'subscription'

metadata description = 'Roles with exactly the actions of infra/actions.json, one for each kind of scope.'

param environmentName string
param resourceToken string

// Whole subscriptions: a scope that still has assignments cannot be taken away, and groups come and go.
param subscriptionIds string[]

var kinds = ['group', 'network', 'gallery', 'subscription']
var rows = loadJsonContent('../actions.json').actions

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [
  for kind in kinds: {
    name: guid(resourceToken, kind)
    properties: {
      // A name is there once in the whole tenant.
      roleName: 'Teal ${kind} ${resourceToken}'
      // By this the hook postdown finds it when all outputs are gone.
      description: 'What Teal needs on each ${kind} that it is told of (azd environment ${environmentName})'
      type: 'CustomRole'
      assignableScopes: [for id in subscriptionIds: '/subscriptions/${id}']
      permissions: [
        {
          actions: map(filter(rows, row => contains(row.scopes, kind)), row => row.action)
          notActions: []
          dataActions: []
          notDataActions: []
        }
      ]
    }
  }
]
