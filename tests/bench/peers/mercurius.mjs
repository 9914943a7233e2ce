// Fastify and Mercurius: compiled resolvers (jit), batching loaders, a pool, named prepared statements.
import Fastify from "fastify";
import { GraphQLScalarType } from "graphql";
import Redis from "ioredis";
import mercurius from "mercurius";
import pg from "pg";
import { callers } from "./callers.mjs";

const TIMESTAMP_WITH_ZONE = 1184;
// The session's zone is UTC: text becomes ISO 8601 without a Date in between.
pg.types.setTypeParser(TIMESTAMP_WITH_ZONE, (text) => `${text.slice(0, 10)}T${text.slice(11, text.indexOf("+"))}Z`);

const pool = new pg.Pool({ max: Number(process.env.CONNECTIONS), options: "-c timezone=UTC -c jit=off" });
const redis = new Redis(process.env.REDIS);
const names = new Map();

/** Runs a statement, prepared once on each connection. */
async function read(text, values) {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `statement_${names.size}`));
  return (await pool.query({ name, text, values })).rows;
}

const schema = `
  scalar DateTime
  enum PatternStatus { CANDIDATE AUTHORITATIVE REJECTED DEFERRED DEPRECATED }
  enum Severity { ERROR WARNING INFO }

  type Query {
    pattern(id: ID!): Pattern
    patterns(first: Int = 20, after: String, filter: PatternFilter): PatternConnection
    triageQueue(repoId: ID!, first: Int = 20, after: String): PatternConnection
  }
  type Mutation {
    promotePattern(input: PromotePatternInput!): PatternPayload
  }
  input PatternFilter { repoId: ID status: [PatternStatus!] }
  input PromotePatternInput { patternId: ID! rationale: String }

  type PatternPayload { pattern: Pattern! }
  type PatternConnection { edges: [PatternEdge!]! nodes: [Pattern!]! pageInfo: PageInfo! }
  type PatternEdge { cursor: String! node: Pattern! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Pattern {
    id: ID!
    name: String!
    description: String!
    type: String!
    category: String!
    language: String
    status: PatternStatus!
    version: Int!
    severity: Severity!
    rationale: String
    createdAt: DateTime!
    updatedAt: DateTime!
    confidence: Confidence
    backtest: Backtest
    repo: Repo!
    evidence(first: Int = 20): EvidenceConnection!
  }
  type Confidence { tier: String! instances: Int! adoption: Float }
  type Backtest { violations: Int! pullRequests: Int! }
  type Repo { id: ID! fullName: String! }
  type EvidenceConnection { nodes: [Evidence!]! }
  type Evidence {
    id: ID!
    path: String!
    startLine: Int
    endLine: Int
    snippet: String
    author: String
    authoredAt: DateTime
    isCanonical: Boolean!
  }
`;

const PATTERN = `id, repo_id AS "repoId", name, description, type, category, language, status, version, severity, rationale,
  created_at AS "createdAt", updated_at AS "updatedAt", tier, instances, adoption, backtest_violations AS violations,
  backtest_pull_requests AS "pullRequests", backtest_caught, tier_rank`;
const EVIDENCE = `id, pattern_id AS "patternId", path, start_line AS "startLine", end_line AS "endLine", snippet, author,
  authored_at AS "authoredAt", is_canonical AS "isCanonical"`;

const sealed = (place) => Buffer.from(JSON.stringify(place)).toString("base64url");
const opened = (cursor) => JSON.parse(Buffer.from(cursor, "base64url").toString());

/** Makes a connection of one row more than was asked for; what is not selected of it is not built. */
function connection(rows, first, placeOf) {
  const hasNextPage = rows.length > first;
  if (hasNextPage) rows.pop();
  return { nodes: rows, placeOf, hasNextPage };
}

function sized(first) {
  if (first < 1 || first > 100) throw new mercurius.ErrorWithProps("A page has from 1 to 100 rows.");
  return first;
}

const resolvers = {
  DateTime: new GraphQLScalarType({ name: "DateTime", serialize: (text) => text }),
  Query: {
    async pattern(_, { id }, { viewer }) {
      const [row] = await read(`SELECT ${PATTERN} FROM patterns WHERE id = $1 AND organization_id = ANY ($2)`, [
        id,
        viewer.organizationIds,
      ]);
      return row ?? null;
    },
    async patterns(_, { first, after, filter }, { viewer }) {
      const values = [viewer.organizationIds];
      const conditions = ["organization_id = ANY ($1)"];
      const demand = (condition, value) => conditions.push(condition(`$${values.push(value)}`));
      if (filter?.repoId) demand((value) => `repo_id = ${value}`, filter.repoId);
      if (filter?.status) demand((value) => `status = ANY (${value})`, filter.status);
      if (after) demand((value) => `id < ${value}`, opened(after)[0]);
      const rows = await read(
        `SELECT ${PATTERN} FROM patterns WHERE ${conditions.join(" AND ")} ORDER BY id DESC LIMIT ${sized(first) + 1}`,
        values,
      );
      return connection(rows, first, (row) => [row.id]);
    },
    async triageQueue(_, { repoId, first, after }, { viewer }) {
      const values = [viewer.organizationIds, repoId];
      let beyond = "";
      if (after) {
        const [rank, caught, id] = opened(after);
        values.push(rank ?? 0, caught, id);
        beyond = "AND (-coalesce(tier_rank, 0), -backtest_caught, id) > (-$3::int, -$4::int, $5)";
      }
      const rows = await read(
        `SELECT ${PATTERN} FROM patterns
         WHERE organization_id = ANY ($1) AND repo_id = $2 AND status = 'CANDIDATE' ${beyond}
         ORDER BY tier_rank DESC NULLS LAST, backtest_caught DESC, id LIMIT ${sized(first) + 1}`,
        values,
      );
      return connection(rows, first, (row) => [row.tier_rank, row.backtest_caught, row.id]);
    },
  },
  Mutation: {
    promotePattern: (_, { input }, { viewer }) => promoted(input, viewer),
  },
  PatternConnection: {
    edges: ({ nodes, placeOf }) => nodes.map((node) => ({ cursor: sealed(placeOf(node)), node })),
    pageInfo: (page) => page,
  },
  PageInfo: {
    endCursor: ({ nodes, placeOf }) => (nodes.length > 0 ? sealed(placeOf(nodes[nodes.length - 1])) : null),
  },
  Pattern: {
    confidence: (row) => (row.tier === null ? null : row),
    backtest: (row) => (row.violations === null ? null : row),
  },
};

const loaders = {
  Pattern: {
    repo: {
      async loader(queries, { viewer }) {
        const rows = await read(
          `SELECT id, full_name AS "fullName" FROM repos WHERE id = ANY ($1) AND organization_id = ANY ($2)`,
          [[...new Set(queries.map(({ obj }) => obj.repoId))], viewer.organizationIds],
        );
        const found = new Map(rows.map((row) => [row.id, row]));
        return queries.map(({ obj }) => found.get(obj.repoId));
      },
      opts: { cache: false },
    },
    evidence: {
      async loader(queries, { viewer }) {
        // One document rarely asks for two sizes; those that do get the larger one, cut below.
        const most = queries.reduce((size, { params }) => Math.max(size, sized(params.first)), 0);
        const rows = await read(
          `SELECT listed.* FROM unnest($1::uuid[]) AS parent (id), LATERAL (
             SELECT ${EVIDENCE} FROM evidence
             WHERE pattern_id = parent.id AND NOT is_counterexample AND organization_id = ANY ($2)
             ORDER BY rank, id LIMIT ${most}
           ) listed`,
          [queries.map(({ obj }) => obj.id), viewer.organizationIds],
        );
        const found = new Map(queries.map(({ obj }) => [obj.id, []]));
        for (const row of rows) found.get(row.patternId).push(row);
        return queries.map(({ obj, params }) => ({ nodes: found.get(obj.id).slice(0, params.first) }));
      },
      opts: { cache: false },
    },
  },
};

/** Locks the pattern, moves it, writes its history and who did it, in one transaction, and tells whoever follows. */
async function promoted({ patternId, rationale }, viewer) {
  const client = await pool.connect();
  const run = (name, text, values) => client.query({ name, text, values });
  try {
    await client.query("BEGIN");
    const { rows: [found] } = await run(
      "lock_pattern",
      "SELECT status FROM patterns WHERE id = $1 AND organization_id = ANY ($2) FOR UPDATE",
      [patternId, viewer.organizationIds],
    );
    if (found === undefined) throw new mercurius.ErrorWithProps("No such pattern.", { code: "NOT_FOUND" });
    if (found.status !== "CANDIDATE" && found.status !== "DEFERRED") {
      throw new mercurius.ErrorWithProps(`A pattern that is ${found.status} cannot be promoted.`, { code: "CONFLICT" });
    }
    const { rows: [pattern] } = await run(
      "promote_pattern",
      `UPDATE patterns SET status = 'AUTHORITATIVE', version = version + 1, rationale = coalesce($2, rationale),
         owner_id = $3, validated_by_id = $3, status_changed_by_id = $3,
         validated_at = now(), status_changed_at = now(), updated_at = now(), touched_at = now()
       WHERE id = $1 RETURNING ${PATTERN}, organization_id AS "organizationId"`,
      [patternId, rationale, viewer.userId],
    );
    const { rows: [{ sequence }] } = await run(
      "write_history",
      `WITH counted AS (UPDATE repos SET change_sequence = change_sequence + 1 WHERE id = $2 RETURNING change_sequence),
       audited AS (
         INSERT INTO audit_entries (id, organization_id, actor_id, action, object, address, credential)
         VALUES (gen_random_uuid(), $3, $5, 'promotePattern', $7, $8, $9)
       )
       INSERT INTO pattern_events
         (id, pattern_id, repo_id, organization_id, sequence, kind, from_status, to_status, actor_id, message)
       SELECT gen_random_uuid(), $1, $2, $3, change_sequence, 'PROMOTED', $4, 'AUTHORITATIVE', $5, $6 FROM counted
       RETURNING sequence`,
      [patternId, pattern.repoId, pattern.organizationId, found.status, viewer.userId, rationale, patternId,
        viewer.address, viewer.credential],
    );
    await client.query("COMMIT");
    await redis.publish(`patterns:${pattern.repoId}`, sequence);
    return { pattern };
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

const viewerOf = callers(process.env.SECRET, async (userId) => {
  const rows = await read("SELECT organization_id AS id FROM memberships WHERE user_id = $1", [userId]);
  return rows.map((row) => row.id);
});

const app = Fastify();
app.register(mercurius, {
  schema,
  resolvers,
  loaders,
  jit: 1,
  context: async (request) => {
    const viewer = await viewerOf(request.headers.authorization);
    return { viewer: { ...viewer, address: request.ip, credential: "ACCESS_TOKEN" } };
  },
});
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
