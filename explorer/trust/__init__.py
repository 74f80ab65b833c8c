"""How far scores can be trusted: networks of equal cost are trained, and every score's ranking is held against theirs."""
