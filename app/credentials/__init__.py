"""What credentials are made of: passwords, tokens, secrets, cookies; a leaf without database and network."""
