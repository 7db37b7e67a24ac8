"""The verifier of exports that stands in one file, to be read and run by anybody."""
