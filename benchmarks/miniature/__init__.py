"""HIRI-ViT's claim in miniature."""
