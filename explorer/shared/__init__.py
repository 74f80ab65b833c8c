"""Studies that many machines share, in a database."""
