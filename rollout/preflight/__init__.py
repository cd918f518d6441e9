"""What speaks against a deployment, found before anything is changed."""
