"""Azure Resource Manager: scale sets and gallery images, through azure-mgmt-compute."""
