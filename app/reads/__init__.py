"""What can be read, declared once: shapes by noun, and the reads that decisions and jobs need."""
