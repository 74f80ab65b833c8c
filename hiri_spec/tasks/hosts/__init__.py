"""The adapters of the libraries that heads come from, one file a library."""
