"""Knowledge of images: the newest version, tries, bad ones, and the way back."""
