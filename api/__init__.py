"""The HTTP API: HTTP in, JSON out. They parse, call and render; what a deployment does is decided elsewhere."""
