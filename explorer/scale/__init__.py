"""What higher resolutions cost, as networks are and scaled up: `python -m explorer.scale SPEC…`."""
