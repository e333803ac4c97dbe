"""The loop's own decisions: sessions, features, limits, endings. It knows its surroundings by ports only."""
