# Deploys whenever the version changes. The set itself ignores changes of its image, which are Teal's to make:
#   resource "azurerm_linux_virtual_machine_scale_set" "web" { lifecycle { ignore_changes = [source_image_id, instances] } }
terraform {
  required_version = ">= 1.4"
}

variable "group" {
  type    = string
  default = "web"
}

variable "image" {
  type = string
}

resource "terraform_data" "deployment" {
  triggers_replace = [var.group, var.image]

  provisioner "local-exec" {
    command     = "./deploy.sh"
    working_dir = path.module
    environment = {
      TEAL_GROUP = var.group
      TEAL_IMAGE = var.image
    }
  }
}
