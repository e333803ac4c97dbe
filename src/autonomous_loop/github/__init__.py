"""Reads the runner's input, checks who may start a loop, and writes results back to GitHub."""
