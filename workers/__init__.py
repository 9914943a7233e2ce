"""Jobs, by what they do: coroutines with network and time in them, which string short decisions together."""
