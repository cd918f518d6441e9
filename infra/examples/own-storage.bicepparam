using '../main.bicep'

// The storage account is there already, in another resource group.
param environmentName = 'teal'
param location = 'westeurope'
param storageAccountId = '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/tealdata'
