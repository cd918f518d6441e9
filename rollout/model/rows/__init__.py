"""The rows: what Table Storage keeps of one thing each."""
