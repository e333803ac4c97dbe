"""Records as GitHub writes them, in answers and in the payloads of events."""
