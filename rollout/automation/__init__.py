"""What starts by itself: published images and schedules."""
