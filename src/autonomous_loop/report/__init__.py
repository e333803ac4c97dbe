"""Texts for people: one redactor for every text, and Markdown rendered from the record."""
