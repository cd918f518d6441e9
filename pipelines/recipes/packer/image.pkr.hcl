# Builds an image, publishes it to the gallery, and deploys it when it is there. Not run here: it needs Azure.
packer {
  required_plugins {
    azure = {
      source  = "github.com/hashicorp/azure"
      version = "~> 2"
    }
  }
}

variable "version" {
  type = string
}

variable "subscription_id" {
  type = string
}

variable "group" {
  type    = string
  default = "web"
}

source "azure-arm" "web" {
  use_azure_cli_auth = true
  subscription_id    = var.subscription_id
  location           = "eastus2"
  vm_size            = "Standard_D2s_v5"
  os_type            = "Linux"
  image_publisher    = "Canonical"
  image_offer        = "ubuntu-24_04-lts"
  image_sku          = "server"

  shared_image_gallery_destination {
    subscription         = var.subscription_id
    resource_group       = "demo"
    gallery_name         = "apps"
    image_name           = "web"
    image_version        = var.version
    replication_regions  = ["eastus2"]
  }
}

build {
  sources = ["source.azure-arm.web"]

  provisioner "shell" {
    inline = ["sudo apt-get update", "sudo apt-get install -y nginx"]
  }

  # After the image is published. With an image rule this is needless: the group deploys the version by itself.
  post-processor "shell-local" {
    script           = "deploy.sh"
    environment_vars = ["TEAL_GROUP=${var.group}", "TEAL_IMAGE=${var.version}"]
  }
}
