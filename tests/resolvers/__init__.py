"""The two executors, the schema, pages and limits."""
