"""How far scores can be trusted: networks of equal cost are trained, and each ranking held against theirs."""
