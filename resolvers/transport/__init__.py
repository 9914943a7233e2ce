"""GraphQL on the wire: over HTTP, over WebSocket and over server-sent events, around one engine."""
