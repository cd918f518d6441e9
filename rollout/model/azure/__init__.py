"""Azure as seen at one moment: the set, its VMs, images, pools and surroundings."""
