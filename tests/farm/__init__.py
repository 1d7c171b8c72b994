"""Several machines as one, with a real redis-server."""
