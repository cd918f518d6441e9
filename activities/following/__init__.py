"""What becomes of published versions."""
