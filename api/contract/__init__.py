"""The contract: what routes take and answer, and the documents made from that."""
