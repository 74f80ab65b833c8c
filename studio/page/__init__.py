"""The page itself: each file is a part of what is seen."""
