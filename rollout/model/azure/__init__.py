"""What Azure showed at one moment: the set, its VMs, their images, pools and surroundings."""
