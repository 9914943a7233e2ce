-- A row or two of each table as of revision 0003, with what is optional once present and once absent; 0004 and 0005 need
-- no others. Frozen with the revision: the steps after it must carry these.
INSERT INTO users (id, login, email, name, password_hash, is_superadmin) VALUES
    ('00000000-0000-7000-8000-000000000001', 'ada', 'ada@example.com', 'Ada', '$argon2id$', true),
    ('00000000-0000-7000-8000-000000000002', 'outsider', NULL, NULL, NULL, false);
INSERT INTO identities (id, user_id, issuer, subject) VALUES
    ('00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000002', 'https://issuer.example.com', '1');
INSERT INTO sessions (id, user_id, secret_hash, expires_at) VALUES
    ('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000001', sha256('session'), '2030-01-01Z');
INSERT INTO organizations (id, slug, name) VALUES
    ('00000000-0000-7000-8000-000000000031', 'example', 'Example');
INSERT INTO memberships (id, organization_id, user_id, role) VALUES
    ('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000031',
     '00000000-0000-7000-8000-000000000001', 'OWNER'),
    ('00000000-0000-7000-8000-000000000042', '00000000-0000-7000-8000-000000000031',
     '00000000-0000-7000-8000-000000000002', 'VIEWER');
INSERT INTO invitations (id, organization_id, email, role, token_hash, invited_by_id, expires_at) VALUES
    ('00000000-0000-7000-8000-000000000051', '00000000-0000-7000-8000-000000000031', 'guest@example.com', 'REVIEWER',
     sha256('invitation'), '00000000-0000-7000-8000-000000000001', '2030-01-01Z');
INSERT INTO api_keys (id, organization_id, user_id, name, prefix, secret_hash, scopes) VALUES
    ('00000000-0000-7000-8000-000000000061', '00000000-0000-7000-8000-000000000031',
     '00000000-0000-7000-8000-000000000001', 'CI', 'abcd1234', sha256('key'), '{patterns:read,check}');
INSERT INTO audit_entries (id, organization_id, actor_id, action, object, address, credential) VALUES
    ('00000000-0000-7000-8000-000000000071', '00000000-0000-7000-8000-000000000031',
     '00000000-0000-7000-8000-000000000001', 'connectRepo', 'repo_00000000000070008000000000000081', '127.0.0.1', 'CI'),
    ('00000000-0000-7000-8000-000000000072', NULL, NULL, 'grantSuperadmin', 'usr_0000000000007000800000000000001',
     NULL, NULL);
INSERT INTO repos (id, organization_id, full_name, source, url, installation_id, default_branch, private,
                   ingestion_status, last_ingested_at, last_ingested_commit, file_count, token_count, languages,
                   change_sequence, schedule_cron, schedule_due_at, files_commit) VALUES
    ('00000000-0000-7000-8000-000000000081', '00000000-0000-7000-8000-000000000031', 'example/shop', 'GITHUB',
     'https://github.com/example/shop', 4711, 'main', true, 'INGESTED', '2026-01-02Z', repeat('a', 40), 2, 900,
     '[{"language": "Python", "files": 2, "bytes": 3600}]', 2, '0 3 * * 1',
     '2026-01-05 03:00Z', repeat('a', 40)),
    ('00000000-0000-7000-8000-000000000082', '00000000-0000-7000-8000-000000000031', 'example/new', 'GIT',
     'https://git.example.com/new.git', NULL, 'trunk', false, 'INGESTING', NULL, NULL, NULL, NULL, '[]', 0,
     NULL, NULL, NULL);
INSERT INTO repo_files (repo_id, path, organization_id, blob_id, language, size_bytes, token_estimate, role, is_binary,
                        is_detectable, is_quotable, facts_version) VALUES
    ('00000000-0000-7000-8000-000000000081', 'src/errors.py', '00000000-0000-7000-8000-000000000031', repeat('b', 40),
     'Python', 1800, 450, 'SOURCE', false, true, true, 1),
    ('00000000-0000-7000-8000-000000000081', 'Zürich 東京.bin', '00000000-0000-7000-8000-000000000031',
     repeat('c', 64), NULL, 5000000000, NULL, 'ASSET', true, false, false, 0);
INSERT INTO pull_requests (id, repo_id, organization_id, reference, title, author, merged_at, diff_key) VALUES
    ('00000000-0000-7000-8000-000000000091', '00000000-0000-7000-8000-000000000081',
     '00000000-0000-7000-8000-000000000031', '#7', 'Name the errors', 'ada', '2026-01-01Z', 'diffs/7');
INSERT INTO ingestion_runs (id, repo_id, organization_id, status, trigger, stage, stages, commit_sha, attempt, sequence,
                            started_at, finished_at, error_code, error_message, cost_usd, fraction, report) VALUES
    ('00000000-0000-7000-8000-000000000101', '00000000-0000-7000-8000-000000000081',
     '00000000-0000-7000-8000-000000000031', 'SUCCEEDED', 'CONNECT', 'DONE', '[{"stage": "FETCH"}]', repeat('a', 40), 1,
     2, '2026-01-02Z', '2026-01-02Z', NULL, NULL, 0.25, 1, '{"dropped": []}'),
    ('00000000-0000-7000-8000-000000000102', '00000000-0000-7000-8000-000000000081',
     '00000000-0000-7000-8000-000000000031', 'FAILED', 'PUSH', 'FETCH', '[]', NULL, 3, 0, '2026-01-03Z', '2026-01-03Z',
     'UPSTREAM_ERROR', 'The remote does not answer.', 0, 0, NULL),
    ('00000000-0000-7000-8000-000000000103', '00000000-0000-7000-8000-000000000082',
     '00000000-0000-7000-8000-000000000031', 'RUNNING', 'MANUAL', 'MINE', '[]', repeat('d', 40), 1, 0, '2026-01-04Z',
     NULL, NULL, NULL, 0, 0.4, NULL);
INSERT INTO patterns (id, repo_id, organization_id, name, description, type, category, language, status, version,
                      severity, rationale, rejection_reason, defer_count, deferred_at, owner_id, validated_by_id,
                      validated_at, similar_to_id, extracted_at, extracted_by, run_id, rule_kind, rule_definition,
                      rule_text, rule_exportable, scope_languages, scope_include, scope_exclude, tier, instances,
                      applicable, conforming, authors, author_names, oldest, newest, backtest_violations,
                      backtest_pull_requests, backtest_examined, backtest_window_days, backtest_computed_at) VALUES
    ('00000000-0000-7000-8000-000000000111', '00000000-0000-7000-8000-000000000081',
     '00000000-0000-7000-8000-000000000031', 'Exceptions end in Error', 'The name of an exception ends in Error.',
     'CODE', 'NAMING', 'Python', 'AUTHORITATIVE', 2, 'ERROR', 'So that a reader sees it.', NULL, 0, NULL,
     '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000001', '2026-01-05Z', NULL, '2026-01-02Z',
     'naming 1', '00000000-0000-7000-8000-000000000101', 'AST', '{"rule": {}}', 'class $NAME', true, '{Python}',
     '{src/**}', '{}', 'STRONG', 11, 12, 11, 3, '{Ada,Grace}', '2024-01-01Z', '2026-01-01Z', 4, 2, 47, 90,
     '2026-01-02Z'),
    ('00000000-0000-7000-8000-000000000112', '00000000-0000-7000-8000-000000000081',
     '00000000-0000-7000-8000-000000000031', 'Errors are logged once', 'Only the outermost handler logs.', 'CODE',
     'BEHAVIORAL', NULL, 'DEFERRED', 3, 'WARNING', NULL, NULL, 2, '2026-01-06Z', NULL, NULL, NULL,
     '00000000-0000-7000-8000-000000000111', NULL, 'claude', NULL, 'LLM', '{}', '', false, '{}', '{}', '{}', NULL, NULL,
     NULL, NULL, NULL, '{}', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO fingerprints (repo_id, fingerprint, pattern_id) VALUES
    ('00000000-0000-7000-8000-000000000081', 'naming:errors', '00000000-0000-7000-8000-000000000111');
INSERT INTO evidence (id, pattern_id, organization_id, is_counterexample, path, start_line, end_line, snippet,
                      commit_sha, blob_id, author, authored_at, code_category, is_canonical, is_stale, stale_reason,
                      added_by) VALUES
    ('00000000-0000-7000-8000-000000000121', '00000000-0000-7000-8000-000000000111',
     '00000000-0000-7000-8000-000000000031', false, 'src/errors.py', 1, 2, E'class ReadError(Exception):\n    pass',
     repeat('a', 40), repeat('b', 40), 'Ada', '2025-01-01Z', 'CORE', true, false, NULL, 'MINER'),
    ('00000000-0000-7000-8000-000000000122', '00000000-0000-7000-8000-000000000111',
     '00000000-0000-7000-8000-000000000031', true, 'src', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, true,
     'The folder is gone.', 'PERSON');
INSERT INTO provenance (id, pattern_id, organization_id, kind, url, title, added_by_id) VALUES
    ('00000000-0000-7000-8000-000000000131', '00000000-0000-7000-8000-000000000111',
     '00000000-0000-7000-8000-000000000031', 'PULL_REQUEST', 'https://github.com/example/shop/pull/7', 'Name the errors',
     '00000000-0000-7000-8000-000000000001');
INSERT INTO pattern_events (id, pattern_id, repo_id, organization_id, sequence, kind, from_status, to_status, actor_id,
                            message) VALUES
    ('00000000-0000-7000-8000-000000000141', '00000000-0000-7000-8000-000000000111',
     '00000000-0000-7000-8000-000000000081', '00000000-0000-7000-8000-000000000031', 1, 'CREATED', NULL, 'CANDIDATE',
     NULL, NULL),
    ('00000000-0000-7000-8000-000000000142', '00000000-0000-7000-8000-000000000111',
     '00000000-0000-7000-8000-000000000081', '00000000-0000-7000-8000-000000000031', 2, 'PROMOTED', 'CANDIDATE',
     'AUTHORITATIVE', '00000000-0000-7000-8000-000000000001', 'So that a reader sees it.');
INSERT INTO run_shards (run_id, stage, number, organization_id, attempt, items, done, holder, leased_until, finished_at,
                        result) VALUES
    ('00000000-0000-7000-8000-000000000101', 'INDEX', 0, '00000000-0000-7000-8000-000000000031', 1, 10000, 10000,
     '00000000-0000-7000-8000-000000000191', '2026-01-01Z', '2026-01-01Z', '{"skipped": {}}'),
    ('00000000-0000-7000-8000-000000000101', 'INDEX', 1, '00000000-0000-7000-8000-000000000031', 1, 5000, 0, NULL, NULL,
     NULL, NULL);
INSERT INTO run_events (run_id, sequence, organization_id, kind, stage, progress, message, pattern_id, run) VALUES
    ('00000000-0000-7000-8000-000000000101', 1, '00000000-0000-7000-8000-000000000031', 'PROGRESS', 'INDEX',
     '{"done": 1}', NULL, NULL, '{}'),
    ('00000000-0000-7000-8000-000000000101', 2, '00000000-0000-7000-8000-000000000031', 'PATTERN', 'MINE', NULL,
     'Found.', '00000000-0000-7000-8000-000000000111', '{}');
INSERT INTO checks (id, repo_id, organization_id, verdict, notes, patterns_checked, files_checked, duration_ms) VALUES
    ('00000000-0000-7000-8000-000000000151', '00000000-0000-7000-8000-000000000081',
     '00000000-0000-7000-8000-000000000031', 'FAILURE', '{A note.}', 1, 1, 3.5);
INSERT INTO violations (id, check_id, pattern_id, organization_id, path, start_line, end_line, snippet, message,
                        severity, suggested_fix, dismissed_at, dismissal_reason, false_positive) VALUES
    ('00000000-0000-7000-8000-000000000161', '00000000-0000-7000-8000-000000000151',
     '00000000-0000-7000-8000-000000000111', '00000000-0000-7000-8000-000000000031', 'src/errors.py', 3, 3,
     'class Missing(Exception):', 'Name it so that it ends in Error.', 'ERROR', 'class MissingError(Exception):', NULL,
     NULL, false),
    ('00000000-0000-7000-8000-000000000162', '00000000-0000-7000-8000-000000000151',
     '00000000-0000-7000-8000-000000000111', '00000000-0000-7000-8000-000000000031', 'src/errors.py', 9, 9, NULL,
     'Name it so that it ends in Error.', 'ERROR', NULL, '2026-01-07Z', 'It is no exception.', true);
INSERT INTO failed_jobs (id, job_id, function, arguments, error, attempts) VALUES
    ('00000000-0000-7000-8000-000000000171', 'run:1', 'ingest', '{"run_id": "1"}', 'The remote does not answer.', 3);
