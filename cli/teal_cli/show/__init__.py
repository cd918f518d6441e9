"""What people and pipelines are shown: lines, tables, a live view, a job's outputs and summary."""
