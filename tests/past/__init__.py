"""What articles said before."""
