"""What the contract promises and later issues bring; this list is empty when the last of them ends."""

TO_COME = frozenset(
    {
        "Mutation.promotePattern",
        "Mutation.rejectPattern",
        "Mutation.deferPattern",
        "Mutation.reopenPattern",
        "Mutation.demotePattern",
        "Mutation.deprecatePattern",
        "Mutation.restorePattern",
        "Mutation.updatePattern",
        "Mutation.createPattern",
        "Mutation.previewRule",
        "Mutation.mergePattern",
        "Mutation.triagePatterns",
        "Mutation.addEvidence",
        "Mutation.removeEvidence",
        "Mutation.setCanonicalEvidence",
        "Mutation.addProvenance",
        "Mutation.removeProvenance",
        "Mutation.checkDiff",
        "Mutation.dismissViolation",
        "Repo.contextFiles",
    }
)
