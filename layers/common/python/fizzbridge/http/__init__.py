"""Calling vendors: one client, auth schemes, and the classification of what comes back."""
