"""The core of mining: it counts what families see, finds where it holds, and keeps what is worth a person's time."""
