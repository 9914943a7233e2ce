"""The rows of the matrix, one for each root field; a new root field needs one."""

from typing import Any

from tests.identity.matrix import (
    ADMIN,
    ANONYMOUS,
    BOSS,
    COOKIE,
    FOREIGN_KEY,
    KEYS,
    MEMBERS,
    NOTHING,
    OK,
    OLD_COOKIE,
    OWNER,
    REVIEWER,
    VIEWER,
    Row,
    account,
    by_persons,
    decided,
    everybody,
    seen,
    signed_in,
)

ADMIN_KEY = "key admin"
REPO_KEYS = ("key repos:read", "key ingest", "key check", ADMIN_KEY)
PATTERN_KEYS = ("key patterns:read", "key patterns:write")
OWNERS = (OWNER, COOKIE)
ADMINS = (*OWNERS, ADMIN)
# Below an admin, and for every key, invitations and API keys do not exist.
NOT_ADMINS = (REVIEWER, VIEWER, *KEYS)

PATTERN = "id name description rule{definition} evidence{nodes{snippet}} history{nodes{message}}"
REPO = "id fullName url"
PEOPLE = "organization{slug name members{nodes{user{login email name}}}}"

QUERIES = {
    "node": Row(lambda side: {"id": side.id("pattern")}, f"id ...on Pattern{{{PATTERN}}}", seen(*PATTERN_KEYS)),
    "nodes": Row(lambda side: {"ids": [side.id("repo")]}, f"id ...on Repo{{{REPO}}}", seen(*REPO_KEYS)),
    "viewer": Row(lambda side: {}, "id email", everybody(OK) | dict.fromkeys((ANONYMOUS, OLD_COOKIE), NOTHING)),
    "organization": Row(
        lambda side: {"slug": side.rows["organization"].slug},
        "slug name members{nodes{user{login email name}}}",
        seen(*KEYS),
    ),
    "repo": Row(lambda side: {"id": side.id("repo")}, f"{REPO} {PEOPLE}", seen(*REPO_KEYS)),
    "repos": Row(
        lambda side: {"filter": {"organizationId": side.id("organization")}},
        f"nodes{{{REPO}}}",
        seen(*REPO_KEYS, otherwise=NOTHING),
        foreign=NOTHING,
    ),
    "pattern": Row(lambda side: {"id": side.id("pattern")}, PATTERN, seen(*PATTERN_KEYS)),
    "patterns": Row(
        lambda side: {
            "filter": {
                "repoId": side.id("repo"),
                "organizationId": side.id("organization"),
                "ownerId": side.id("owner"),
            }
        },
        f"nodes{{{PATTERN}}}",
        seen(*PATTERN_KEYS, otherwise=NOTHING),
        foreign=NOTHING,
    ),
    # A repository that is seen has a queue; what waits in it is another permission.
    "triageQueue": Row(
        lambda side: {"repoId": side.id("repo")},
        f"nodes{{{PATTERN}}}",
        {**seen(), **dict.fromkeys(REPO_KEYS, "FORBIDDEN")},
    ),
    "ingestionRun": Row(lambda side: {"id": side.id("run")}, "id status repo{fullName}", seen(*REPO_KEYS)),
    "check": Row(lambda side: {"id": side.id("check")}, "id violations{nodes{message}}", seen(*PATTERN_KEYS)),
    "rateLimit": Row(lambda side: {}, "limit", everybody(OK)),
    "admin": Row(
        lambda side: {},
        "organizations{nodes{name}} users{nodes{email}} queue{failed} failedJobs{nodes{error}}",
        signed_in("FORBIDDEN") | {BOSS: OK},
    ),
}

MUTATIONS = {
    "signUp": Row(lambda side: account("new@example.com"), "viewer{email}", everybody(OK)),
    "signIn": Row(lambda side: account("known@example.com"), "viewer{email}", everybody(OK)),
    "signOut": Row(lambda side: {}, "signedOut", everybody(OK), audited=False),
    "createAccessToken": Row(lambda side: {}, "expiresAt", by_persons()),
    "changePassword": Row(
        lambda side: {"input": {"current": "anything", "new": "another long enough password"}},
        "viewer{id}",
        # Nobody here has a password; that it is asked for at all is what the other tests show.
        signed_in("FORBIDDEN"),
    ),
    "createOrganization": Row(
        lambda side: {"input": {"slug": "brand-new", "name": "Brand new"}}, "organization{slug}", by_persons()
    ),
    "updateOrganization": Row(
        lambda side: {"input": {"id": side.id("organization"), "name": "Renamed"}},
        "organization{name}",
        decided(*ADMINS, ADMIN_KEY),
    ),
    "deleteOrganization": Row(
        lambda side: {
            "input": {
                "id": side.id("organization"),
                "confirmSlug": side.rows["organization"].slug,
            }
        },
        "slug",
        decided(*OWNERS),
    ),
    "leaveOrganization": Row(
        lambda side: {"input": {"id": side.id("organization")}},
        "viewer{id}",
        decided(*MEMBERS) | {BOSS: "NOT_FOUND", FOREIGN_KEY: "FORBIDDEN"},
    ),
    "inviteMember": Row(
        lambda side: {
            "input": {"organizationId": side.id("organization"), "email": "eve@example.com", "role": "VIEWER"}
        },
        "invitation{email}",
        decided(*ADMINS),
    ),
    "acceptInvitation": Row(
        lambda side: {"input": {"token": side.tokens["invitation"]}},
        "membership{role}",
        by_persons() | dict.fromkeys(MEMBERS, "CONFLICT"),
    ),
    "revokeInvitation": Row(
        lambda side: {"input": {"id": side.id("invitation")}},
        "organization{slug}",
        decided(*ADMINS, unseen=NOT_ADMINS),
    ),
    "changeMemberRole": Row(
        lambda side: {
            "input": {"organizationId": side.id("organization"), "userId": side.id("member"), "role": "REVIEWER"}
        },
        "membership{role}",
        decided(*ADMINS),
    ),
    "removeMember": Row(
        lambda side: {"input": {"organizationId": side.id("organization"), "userId": side.id("member")}},
        "organization{slug}",
        decided(*ADMINS),
    ),
    "createApiKey": Row(
        lambda side: {"input": {"organizationId": side.id("organization"), "name": "k", "scopes": ["check"]}},
        "apiKey{name}",
        decided(*ADMINS) | {FOREIGN_KEY: "FORBIDDEN"},
    ),
    "revokeApiKey": Row(
        lambda side: {"input": {"id": side.id("key")}}, "apiKey{name}", decided(*ADMINS, unseen=NOT_ADMINS)
    ),
    "retryFailedJob": Row(
        lambda side: {"input": {"id": side.id("job")}}, "failedJob{error}", signed_in("FORBIDDEN") | {BOSS: OK}
    ),
    "dismissFailedJob": Row(
        lambda side: {"input": {"id": side.id("job")}}, "failedJob{error}", signed_in("FORBIDDEN") | {BOSS: OK}
    ),
}

MUTATIONS |= {
    "connectRepo": Row(
        lambda side: {
            "input": {
                "organizationId": side.id("organization"),
                "git": {"url": "https://git.example.com/new/one.git"},
                "ingest": False,
            }
        },
        "repo{fullName}",
        decided(*ADMINS, ADMIN_KEY),
    ),
    "updateRepo": Row(
        lambda side: {"input": {"repoId": side.id("repo"), "branch": "next"}},
        "repo{fullName}",
        decided(*ADMINS, ADMIN_KEY, unseen=PATTERN_KEYS),
    ),
    "disconnectRepo": Row(
        lambda side: {"input": {"repoId": side.id("repo")}},
        "fullName organization{slug}",
        decided(*ADMINS, ADMIN_KEY, unseen=PATTERN_KEYS),
    ),
    "startIngestion": Row(
        lambda side: {"input": {"repoId": side.id("repo")}},
        "run{status}",
        decided(*ADMINS, REVIEWER, "key ingest", unseen=PATTERN_KEYS),
    ),
    "cancelIngestion": Row(
        lambda side: {"input": {"runId": side.id("run")}},
        "run{status}",
        decided(*ADMINS, REVIEWER, "key ingest", unseen=PATTERN_KEYS),
    ),
}

# Triage is a reviewer's; for keys that read no patterns there is none.
TRIAGE = decided(*ADMINS, REVIEWER, "key patterns:write", unseen=REPO_KEYS)


def move(status: str, **said: Any) -> Row:
    """Decide about a pattern that stands so, of which each side has one."""
    return Row(lambda side: {"input": {"patternId": side.id(status), **said}}, "pattern{status}", TRIAGE)


MUTATIONS |= {
    "promotePattern": move("pattern", rationale="It holds."),
    "rejectPattern": move("pattern", reason="It does not hold."),
    "deferPattern": move("pattern"),
    "reopenPattern": move("deferred"),
    "demotePattern": move("authoritative"),
    "deprecatePattern": Row(
        lambda side: {"input": {"patternId": side.id("authoritative"), "supersededById": side.id("pattern")}},
        "pattern{status supersededBy{name}}",
        TRIAGE,
    ),
    "restorePattern": move("deprecated"),
    "updatePattern": Row(
        lambda side: {
            "input": {"patternId": side.id("pattern"), "name": "Another name", "ownerId": side.id("second_owner")}
        },
        "pattern{name owner{name}}",
        TRIAGE,
    ),
    "mergePattern": Row(
        lambda side: {"input": {"candidateId": side.id("pattern"), "intoId": side.id("authoritative")}},
        "pattern{name} evidenceAdded",
        TRIAGE,
    ),
    "triagePatterns": Row(
        lambda side: {"input": {"decisions": [{"patternId": side.id("pattern"), "to": "REJECTED"}]}},
        "results{pattern{name} errorCode}",
        TRIAGE,
    ),
    "removeEvidence": Row(
        lambda side: {"input": {"evidenceId": side.id("evidence")}}, "pattern{evidence{nodes{snippet}} name}", TRIAGE
    ),
    "setCanonicalEvidence": Row(
        lambda side: {"input": {"evidenceId": side.id("evidence")}}, "pattern{canonicalEvidence{snippet}}", TRIAGE
    ),
    "addProvenance": Row(
        lambda side: {
            "input": {
                "patternId": side.id("pattern"),
                "provenance": {"kind": "DOCUMENT", "url": "https://docs.example.com/why"},
            }
        },
        "pattern{provenance{url}}",
        TRIAGE,
    ),
    "removeProvenance": Row(
        lambda side: {"input": {"provenanceId": side.id("provenance")}}, "pattern{name provenance{url}}", TRIAGE
    ),
}

# What is written by hand is measured first, and these repositories were never read.
UNREAD = {caller: "CONFLICT" if outcome == OK else outcome for caller, outcome in TRIAGE.items()}
UNREAD_REPO = UNREAD | dict.fromkeys(REPO_KEYS, "FORBIDDEN")
SCOPE = {"languages": ["Python"], "include": [], "exclude": []}
RULE = {"applicable": {"pattern": "class $NAME: $$$"}, "conforming": {"pattern": "class $NAME: pass"}}

MUTATIONS |= {
    "previewRule": Row(
        lambda side: {"input": {"repoId": side.id("repo"), "kind": "AST", "definition": RULE, "scope": SCOPE}},
        "applicable",
        UNREAD_REPO,
    ),
    "createPattern": Row(
        lambda side: {
            "input": {
                "repoId": side.id("repo"),
                "name": "By hand",
                "description": "Written.",
                "type": "CODE",
                "category": "NAMING",
                "ruleKind": "AST",
                "ruleDefinition": RULE,
                "scope": SCOPE,
            }
        },
        "pattern{name}",
        UNREAD_REPO,
    ),
    "addEvidence": Row(
        lambda side: {"input": {"patternId": side.id("pattern"), "path": "a.py", "startLine": 1}},
        "evidence{path} pattern{name}",
        UNREAD,
    ),
}

SUBSCRIPTIONS = {
    "ingestionStatus": Row(lambda side: {"runId": side.id("run")}, "run{id repo{fullName}}", seen(*REPO_KEYS)),
    "patternChanges": Row(
        lambda side: {"repoId": side.id("repo"), "after": 0},
        "pattern{name}",
        {**seen(), **dict.fromkeys(REPO_KEYS, "FORBIDDEN")},
    ),
}

ROWS = {"Query": QUERIES, "Mutation": MUTATIONS, "Subscription": SUBSCRIPTIONS}
