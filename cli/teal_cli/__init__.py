"""The ``teal`` command. It speaks HTTP with Teal's API and shares no code with it."""

#: Of the same release as the server; ``teal doctor`` says where they differ.
VERSION = "0.1.0"
