"""The append-only store of entries, its hash tree, its verification, and the commands on it."""
