"""What training draws: batched tensors, seeded."""
