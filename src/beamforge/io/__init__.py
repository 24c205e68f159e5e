"""Reading and writing measured stacks, labels and regions of interest."""
