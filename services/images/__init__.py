"""What services know of images: the newest version, what was tried, which are bad, and the way back."""
