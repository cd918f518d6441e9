using '../main.bicep'

// Storage is in a virtual network alone. Compiled, and never run.
param environmentName = 'teal'
param location = 'westeurope'
param vnetEnabled = true
param vnetAddressPrefix = '10.20.0.0/24'
