"""What the README says of running the service, with the programs that it names."""
