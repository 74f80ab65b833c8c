"""One file for each larger command of `hiri-spec`; what needs torch imports it when it runs."""
