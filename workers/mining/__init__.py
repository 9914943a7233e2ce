"""Mining a repository: what runs in child processes, what is kept between runs, and what is written down."""
