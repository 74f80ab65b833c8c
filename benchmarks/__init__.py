"""Speed, measured as ratios within one run on whatever machine this is: `make bench`."""
