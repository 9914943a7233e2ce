"""What the contract promises and later issues bring; this list is empty when the last of them ends."""

TO_COME = frozenset(
    {
        "Mutation.checkDiff",
        "Mutation.dismissViolation",
        "Repo.contextFiles",
    }
)
