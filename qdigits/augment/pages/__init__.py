"""Whole pages, drawn with the truth of every mark: marks, pens, layouts, paper and camera."""
