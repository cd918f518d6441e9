"""What routes take and answer, and the documents made from that."""
