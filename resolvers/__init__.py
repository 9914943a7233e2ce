"""GraphQL: words in, words out; by noun."""
