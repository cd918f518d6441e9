using '../main.bicep'

// Callers have tokens, more stays warm, and some settings of Teal are not the default.
param environmentName = 'teal'
param location = 'westeurope'
param entraClientId = '55555555-5555-5555-5555-555555555555'
param alwaysReady = { durable: 2, http: 1, imagePublished: 1 }
param maximumInstanceCount = 100
param instanceMemoryMB = 4096
param settings = { TEAL_POLL_INTERVAL: '30', TEAL_ROWS_DAYS: '90' }
param tags = { costCenter: '42' }
