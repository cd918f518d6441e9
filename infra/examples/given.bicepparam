using '../main.bicep'

// As `azd up` deploys it where nothing is said.
param environmentName = 'teal'
param location = 'westeurope'
