"""What is spoken of: values, rows, and how they are read and written. Everything else imports it."""
