"""Labelled digits: sources, formats, splits."""
