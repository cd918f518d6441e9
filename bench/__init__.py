"""What Teal costs: `make bench` measures it in virtual time and prints tables. Nothing here passes or fails."""
