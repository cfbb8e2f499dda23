"""What comes from outside, tried with inputs that nobody wrote: targets, what must hold, and two ways to run them."""
