"""The tables and figures of HIRI-ViT's text, counted anew beside what it reports: `python -m explorer.reproduce`."""
