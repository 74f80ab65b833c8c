"""The studio: a page on this machine where a spec is edited, with its drawing, cost and mistakes at every keystroke."""
