"""Evaluating networks: what is asked and what comes back, here in this process or in processes of their own."""
