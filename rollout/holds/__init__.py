"""What is held of what changes a set by itself, and how it comes back."""
