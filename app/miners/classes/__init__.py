"""What classes of one kind have in common: how they are named, where they live, what they define."""
