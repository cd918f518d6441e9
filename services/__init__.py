"""Work that HTTP triggers and activities do alike, over the ports."""
