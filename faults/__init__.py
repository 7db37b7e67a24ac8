"""Faults on purpose: errors, kills, full disks and power cuts at every write, soak and fuzzing."""
