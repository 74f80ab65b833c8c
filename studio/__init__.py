"""The studio: a local page on which a backbone is seen while its spec is written."""
