"""The database: models by noun and the transaction that carries what must happen after commit."""
