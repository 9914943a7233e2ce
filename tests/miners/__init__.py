"""What miners find in small repositories, and where they stay silent."""
