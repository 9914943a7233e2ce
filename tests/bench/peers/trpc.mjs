// Hono, tRPC and Drizzle: prepared queries on a pool, nested rows by Drizzle's own single-statement relations.
import { serve } from "@hono/node-server";
import { trpcServer } from "@hono/trpc-server";
import { initTRPC, TRPCError } from "@trpc/server";
import { and, asc, desc, eq, inArray, lt, not, relations, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { boolean, customType, doublePrecision, integer, pgTable, smallint, text, uuid } from "drizzle-orm/pg-core";
import { Hono } from "hono";
import Redis from "ioredis";
import pg from "pg";
import { z } from "zod";
import { callers, Unauthenticated } from "./callers.mjs";

// The session's zone is UTC: text becomes ISO 8601 without a Date in between.
const moment = customType({
  dataType: () => "timestamptz",
  fromDriver: (value) => `${value.slice(0, 10)}T${value.slice(11, value.indexOf("+"))}Z`,
});

const memberships = pgTable("memberships", { userId: uuid("user_id"), organizationId: uuid("organization_id") });
const repos = pgTable("repos", {
  id: uuid("id").primaryKey(),
  organizationId: uuid("organization_id"),
  fullName: text("full_name"),
  changeSequence: integer("change_sequence"),
});
const patterns = pgTable("patterns", {
  id: uuid("id").primaryKey(),
  repoId: uuid("repo_id"),
  organizationId: uuid("organization_id"),
  name: text("name"),
  description: text("description"),
  type: text("type"),
  category: text("category"),
  language: text("language"),
  status: text("status"),
  version: integer("version"),
  severity: text("severity"),
  rationale: text("rationale"),
  createdAt: moment("created_at"),
  updatedAt: moment("updated_at"),
  tier: text("tier"),
  tierRank: smallint("tier_rank"),
  instances: integer("instances"),
  adoption: doublePrecision("adoption"),
  violations: integer("backtest_violations"),
  pullRequests: integer("backtest_pull_requests"),
  caught: integer("backtest_caught"),
  ownerId: uuid("owner_id"),
  validatedById: uuid("validated_by_id"),
  validatedAt: moment("validated_at"),
  statusChangedById: uuid("status_changed_by_id"),
  statusChangedAt: moment("status_changed_at"),
  touchedAt: moment("touched_at"),
});
const patternEvents = pgTable("pattern_events", {
  id: uuid("id").primaryKey(),
  patternId: uuid("pattern_id"),
  repoId: uuid("repo_id"),
  organizationId: uuid("organization_id"),
  sequence: integer("sequence"),
  kind: text("kind"),
  fromStatus: text("from_status"),
  toStatus: text("to_status"),
  actorId: uuid("actor_id"),
  message: text("message"),
});
const auditEntries = pgTable("audit_entries", {
  id: uuid("id").primaryKey(),
  organizationId: uuid("organization_id"),
  actorId: uuid("actor_id"),
  action: text("action"),
  object: text("object"),
  address: text("address"),
  credential: text("credential"),
});
const evidence = pgTable("evidence", {
  id: uuid("id").primaryKey(),
  patternId: uuid("pattern_id"),
  organizationId: uuid("organization_id"),
  isCounterexample: boolean("is_counterexample"),
  rank: integer("rank"),
  path: text("path"),
  startLine: integer("start_line"),
  endLine: integer("end_line"),
  snippet: text("snippet"),
  author: text("author"),
  authoredAt: moment("authored_at"),
  isCanonical: boolean("is_canonical"),
});
const schema = {
  repos,
  patterns,
  evidence,
  patternRelations: relations(patterns, ({ one, many }) => ({
    repo: one(repos, { fields: [patterns.repoId], references: [repos.id] }),
    evidence: many(evidence),
  })),
  evidenceRelations: relations(evidence, ({ one }) => ({
    pattern: one(patterns, { fields: [evidence.patternId], references: [patterns.id] }),
  })),
};

const pool = new pg.Pool({ max: Number(process.env.CONNECTIONS), options: "-c timezone=UTC -c jit=off" });
const db = drizzle(pool, { schema });
const redis = new Redis(process.env.REDIS);
const given = sql.placeholder;

const SUMMARY = {
  id: true,
  name: true,
  description: true,
  type: true,
  category: true,
  language: true,
  status: true,
  version: true,
  severity: true,
  rationale: true,
  createdAt: true,
  updatedAt: true,
};
const SUMMARY_COLUMNS = Object.fromEntries(Object.keys(SUMMARY).map((name) => [name, patterns[name]]));

const places = (most, columns) => ({
  columns: { id: true, path: true, startLine: true, endLine: true, snippet: true, ...columns },
  where: and(not(evidence.isCounterexample), theirs(evidence)),
  orderBy: [asc(evidence.rank), asc(evidence.id)],
  limit: most,
});

/** Says that a row belongs to an organization of the viewer. */
function theirs(table) {
  return sql`${table.organizationId} = ANY (${given("organizationIds")})`;
}

const inRepo = (...more) => and(theirs(patterns), eq(patterns.repoId, given("repoId")), ...more);
const ofStatus = sql`${patterns.status} = ANY (${given("status")})`;
const older = lt(patterns.id, given("after"));
const beyond = sql`(-coalesce(${patterns.tierRank}, 0), -${patterns.caught}, ${patterns.id})
  > (-${given("rank")}::int, -${given("caught")}::int, ${given("after")}::uuid)`;

// A page begins at the top or behind a cursor: one prepared statement for each.
const prepared = {
  memberships: db
    .select({ id: memberships.organizationId })
    .from(memberships)
    .where(eq(memberships.userId, given("userId")))
    .prepare("memberships"),
  list: both("list", (start, name) =>
    db
      .select(SUMMARY_COLUMNS)
      .from(patterns)
      .where(inRepo(ofStatus, start ? older : undefined))
      .orderBy(desc(patterns.id))
      .limit(given("limit"))
      .prepare(name),
  ),
  board: both("board", (start, name) =>
    db.query.patterns
      .findMany({
        columns: SUMMARY,
        where: inRepo(ofStatus, start ? older : undefined),
        orderBy: desc(patterns.id),
        limit: given("limit"),
        with: { repo: { columns: { id: true, fullName: true } }, evidence: places(3) },
      })
      .prepare(name),
  ),
  queue: both("queue", (start, name) =>
    db
      .select({
        id: patterns.id,
        name: patterns.name,
        description: patterns.description,
        category: patterns.category,
        severity: patterns.severity,
        createdAt: patterns.createdAt,
        tier: patterns.tier,
        tierRank: patterns.tierRank,
        instances: patterns.instances,
        adoption: patterns.adoption,
        violations: patterns.violations,
        pullRequests: patterns.pullRequests,
        caught: patterns.caught,
      })
      .from(patterns)
      // The index of the queue holds candidates only, which a value bound later could not promise.
      .where(inRepo(sql`${patterns.status} = 'CANDIDATE'`, start ? beyond : undefined))
      .orderBy(sql`${patterns.tierRank} DESC NULLS LAST`, desc(patterns.caught), asc(patterns.id))
      .limit(given("limit"))
      .prepare(name),
  ),
  one: db.query.patterns
    .findFirst({
      columns: SUMMARY,
      where: and(theirs(patterns), eq(patterns.id, given("id"))),
      with: {
        repo: { columns: { id: true, fullName: true } },
        evidence: places(10, { author: true, authoredAt: true, isCanonical: true }),
      },
    })
    .prepare("one"),
};

function both(name, prepare) {
  const [top, behind] = [prepare(false, name), prepare(true, `${name}_after`)];
  return (values) => (values.after === undefined ? top : behind).execute(values);
}

const sealed = (place) => Buffer.from(JSON.stringify(place)).toString("base64url");
const opened = (cursor) => JSON.parse(Buffer.from(cursor, "base64url").toString());

/** Takes the one row more than was asked for off a page, and tells how the list goes on. */
function paged(rows, first, placeOf) {
  const hasNextPage = rows.length > first;
  if (hasNextPage) rows.pop();
  return { hasNextPage, endCursor: rows.length > 0 ? sealed(placeOf(rows[rows.length - 1])) : null };
}

function connection(rows, first) {
  const placeOf = (row) => [row.id];
  const pageInfo = paged(rows, first, placeOf);
  return { edges: rows.map((node) => ({ cursor: sealed(placeOf(node)), node })), pageInfo };
}

function queued({ tier, tierRank, instances, adoption, violations, pullRequests, caught, ...node }) {
  return {
    ...node,
    confidence: tier === null ? null : { tier, instances, adoption },
    backtest: violations === null ? null : { violations, pullRequests },
  };
}

const t = initTRPC.context().create();
const Page = z.object({
  repoId: z.guid(),
  first: z.number().int().min(1).max(100).default(20),
  after: z.string().max(1000).optional(),
});
const Filtered = Page.extend({
  status: z.array(z.enum(["CANDIDATE", "AUTHORITATIVE", "REJECTED", "DEFERRED", "DEPRECATED"])).min(1),
});

function bound({ repoId, status, first, after }, { organizationIds }) {
  return { repoId, status, limit: first + 1, after: after && opened(after)[0], organizationIds };
}

const router = t.router({
  list: t.procedure
    .input(Filtered)
    .query(async ({ input, ctx }) => connection(await prepared.list(bound(input, ctx.viewer)), input.first)),
  board: t.procedure
    .input(Filtered)
    .query(async ({ input, ctx }) => connection(await prepared.board(bound(input, ctx.viewer)), input.first)),
  queue: t.procedure.input(Page).query(async ({ input, ctx }) => {
    const [rank, caught, after] = input.after ? opened(input.after) : [];
    const rows = await prepared.queue({
      ...ctx.viewer,
      repoId: input.repoId,
      limit: input.first + 1,
      rank: rank ?? 0,
      caught,
      after,
    });
    const pageInfo = paged(rows, input.first, (row) => [row.tierRank, row.caught, row.id]);
    return { nodes: rows.map(queued), pageInfo };
  }),
  one: t.procedure.input(z.object({ id: z.guid() })).query(async ({ input, ctx }) => {
    const row = await prepared.one.execute({ id: input.id, organizationIds: ctx.viewer.organizationIds });
    return row ?? null;
  }),
  promote: t.procedure
    .input(z.object({ id: z.guid(), rationale: z.string().max(1000).optional() }))
    .mutation(({ input, ctx }) => promoted(input, ctx.viewer)),
});

/** Locks the pattern, moves it, writes its history and who did it, in one transaction, and tells whoever follows. */
async function promoted({ id, rationale }, { userId, organizationIds, address, credential }) {
  const { pattern, repoId, sequence } = await db.transaction(async (tx) => {
    const [found] = await tx
      .select({ status: patterns.status })
      .from(patterns)
      .where(and(eq(patterns.id, id), inArray(patterns.organizationId, organizationIds)))
      .for("update");
    if (found === undefined) throw new TRPCError({ code: "NOT_FOUND", message: "No such pattern." });
    if (found.status !== "CANDIDATE" && found.status !== "DEFERRED") {
      throw new TRPCError({ code: "CONFLICT", message: `A pattern that is ${found.status} cannot be promoted.` });
    }
    const now = sql`now()`;
    const [{ repoId, organizationId, ...pattern }] = await tx
      .update(patterns)
      .set({
        status: "AUTHORITATIVE",
        version: sql`${patterns.version} + 1`,
        ...(rationale === undefined ? {} : { rationale }),
        ownerId: userId,
        validatedById: userId,
        statusChangedById: userId,
        validatedAt: now,
        statusChangedAt: now,
        updatedAt: now,
        touchedAt: now,
      })
      .where(eq(patterns.id, id))
      .returning({
        id: patterns.id,
        name: patterns.name,
        status: patterns.status,
        version: patterns.version,
        severity: patterns.severity,
        rationale: patterns.rationale,
        repoId: patterns.repoId,
        organizationId: patterns.organizationId,
      });
    const [{ sequence }] = await tx
      .update(repos)
      .set({ changeSequence: sql`${repos.changeSequence} + 1` })
      .where(eq(repos.id, repoId))
      .returning({ sequence: repos.changeSequence });
    await tx.insert(patternEvents).values({
      id: sql`gen_random_uuid()`,
      patternId: id,
      repoId,
      organizationId,
      sequence,
      kind: "PROMOTED",
      fromStatus: found.status,
      toStatus: "AUTHORITATIVE",
      actorId: userId,
      message: rationale,
    });
    await tx.insert(auditEntries).values({
      id: sql`gen_random_uuid()`,
      organizationId,
      actorId: userId,
      action: "promotePattern",
      object: id,
      address,
      credential,
    });
    return { pattern, repoId, sequence };
  });
  await redis.publish(`patterns:${repoId}`, sequence);
  return { pattern };
}

const viewerOf = callers(process.env.SECRET, async (userId) => {
  const rows = await prepared.memberships.execute({ userId });
  return rows.map((row) => row.id);
});

async function createContext(_, context) {
  try {
    const viewer = await viewerOf(context.req.header("authorization"));
    return { viewer: { ...viewer, address: "127.0.0.1", credential: "ACCESS_TOKEN" } };
  } catch (error) {
    if (error instanceof Unauthenticated) throw new TRPCError({ code: "UNAUTHORIZED", message: error.message });
    throw error;
  }
}

const app = new Hono();
app.use("/trpc/*", trpcServer({ router, createContext }));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT) });
