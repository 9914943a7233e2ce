"""What goes on: logs that are followed, and events that are spelt once for all who hear them."""
