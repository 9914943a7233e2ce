// Fastify and Mercurius with subscriptions over Redis (mqemitter-redis), as its documentation sets it up.
import Fastify from "fastify";
import mercurius from "mercurius";
import redis from "mqemitter-redis";
import { callers } from "./callers.mjs";

const schema = `
  type Query { ready: Boolean }
  type Subscription { ingestionStatus(runId: ID!): IngestionEvent! }
  type IngestionEvent {
    sequence: Int!
    skipped: Int!
    kind: String!
    at: String!
    stage: String!
    message: String
    progress: StageProgress
    run: IngestionRun!
  }
  type StageProgress { stage: String! state: String! done: Int! total: Int unit: String }
  type IngestionRun { status: String! fraction: Float! etaSeconds: Float patternsFound: Int! }
`;
const resolvers = {
  Subscription: {
    ingestionStatus: {
      subscribe: (_, { runId }, { pubsub }) => pubsub.subscribe(`run:${runId}`),
    },
  },
};

// A member of every organization: whom a token stands for is asked once here, and never again while a socket lasts.
const viewerOf = callers(process.env.SECRET, async () => []);

const app = Fastify();
app.register(mercurius, {
  schema,
  resolvers,
  jit: 1,
  subscription: {
    emitter: redis({ path: process.env.REDIS_SOCKET }),
    async onConnect({ payload }) {
      await viewerOf(payload.authorization);
      return true;
    },
  },
});
app.post("/publish/:run", async (request) => {
  await app.graphql.pubsub.publish({ topic: `run:${request.params.run}`, payload: { ingestionStatus: request.body } });
  return {};
});
app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
