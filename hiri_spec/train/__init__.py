"""Training: recipes, data, the loop. Importing it loads no torch."""
