"""What a model was measured to do."""
