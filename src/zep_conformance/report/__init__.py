"""What a run came to, written down: one small writer a report."""
