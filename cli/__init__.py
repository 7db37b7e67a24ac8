"""The command line: words into commands, answers into tables."""
