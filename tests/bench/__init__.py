"""The benchmark of reads: Tenet beside its own reference executor and beside the stacks of Node."""
