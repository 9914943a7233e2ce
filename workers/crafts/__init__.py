"""What hands can do: crafts for child processes, so nothing here needs a database, a queue or a loop."""
