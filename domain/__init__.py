"""The rules of an improvement plan: entry types, states, and the decisions that events record."""
