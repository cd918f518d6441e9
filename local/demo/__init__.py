"""``make demo``: a good deployment and a bad one, told as they happen, on a platform that is gone at the end."""
