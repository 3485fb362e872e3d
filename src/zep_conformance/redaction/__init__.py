"""What makes output safe: nothing secret is ever written."""
