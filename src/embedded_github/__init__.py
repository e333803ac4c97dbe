"""One machine's GitHub and model: the embedded GitHub, its Actions player, the scripted model, pages."""
