"""What the forge keeps, one kind of record a module; each change tells of itself as an event."""
