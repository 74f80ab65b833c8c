"""Data sets of images with objects or pixel classes."""
