"""What rules of each kind find, and what is refused."""
