"""Steps that follow published versions."""
