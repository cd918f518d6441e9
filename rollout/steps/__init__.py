"""What one look at the set makes of a step: launch, drain, retire, and what is left."""
