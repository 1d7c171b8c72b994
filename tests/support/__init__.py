"""What tests and benchmarks share: the real server in a process of its own, a client, and speech to send."""
