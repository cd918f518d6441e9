metadata description = 'The identity of the app, which all its rights are given to.'

import { values } from '../types.bicep'

param name string
param location string
param tags values

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
output resourceId string = identity.id
