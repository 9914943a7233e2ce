"""Mining, judged: how many true conventions are found, how many decoys, and what it costs."""
