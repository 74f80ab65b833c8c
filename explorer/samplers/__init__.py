"""Samplers: what to try next. One file each."""
