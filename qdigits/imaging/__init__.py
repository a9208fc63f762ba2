"""Any input to upright RGB, and one digit to a 28x28 tile."""
