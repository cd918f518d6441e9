"""What HTTP triggers and activities do alike, over the ports: both ask them, so both do the same."""
