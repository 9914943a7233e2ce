// Points outside judges and real clients at a running service: node run.mjs URL [SUBSCRIPTION]
// TENET_TOKEN is the credential, if any. Ends with "N passed, N failed", and with 1 where something failed.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { auditServer } from "graphql-http";
import { createClient as createSseClient } from "graphql-sse";
import { createClient as createWsClient } from "graphql-ws";
import assert from "node:assert/strict";
import WebSocket from "ws";

const [url, subscription] = process.argv.slice(2);
assert(url, "usage: node run.mjs URL [SUBSCRIPTION]");
const authorization = process.env.TENET_TOKEN && `Bearer ${process.env.TENET_TOKEN}`;
const headers = authorization ? { authorization } : {};
const query = "{ __typename }";
const wrong = "{ thisFieldDoesNotExist }";

const socket = () =>
  createWsClient({
    url: url.replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    connectionParams: headers,
    retryAttempts: 0,
  });
const events = () => createSseClient({ url, headers, retryAttempts: 0 });

/** Collects what a client of graphql-ws or graphql-sse hears of one operation. */
const results = async (client, request, most = Infinity) => {
  const heard = [];
  for await (const result of client.iterate(request)) {
    heard.push(result);
    if (heard.length >= most) break;
  }
  return heard;
};

const clients = {
  "graphql-ws runs a query": async () => {
    const client = socket();
    assert.deepEqual((await results(client, { query }))[0].data, { __typename: "Query" });
    await client.dispose();
  },
  "graphql-ws survives a bad operation": async () => {
    const client = socket();
    const alive = subscription && client.iterate({ query: subscription });
    if (alive) assert((await alive.next()).value.data);
    await assert.rejects(results(client, { query: "{" }), (errors) => errors[0].extensions.code === "GRAPHQL_PARSE_FAILED");
    await assert.rejects(results(client, { query: wrong }), (errors) => Boolean(errors[0].extensions.code));
    assert.deepEqual((await results(client, { query }))[0].data, { __typename: "Query" });
    if (alive) {
      assert((await alive.next()).value.data);
      await alive.return();
    }
    await client.dispose();
  },
  "graphql-ws is told of a wrong credential": async () => {
    const client = createWsClient({
      url: url.replace(/^http/, "ws"),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: "Bearer certainly-wrong" },
      retryAttempts: 0,
    });
    await assert.rejects(results(client, { query }), (closed) => closed.code === 4403);
  },
  "graphql-sse runs a query": async () => {
    const client = events();
    assert.deepEqual((await results(client, { query }))[0].data, { __typename: "Query" });
    client.dispose();
  },
  "graphql-sse hears of a wrong query": async () => {
    const client = events();
    assert((await results(client, { query: wrong }))[0].errors[0].extensions.code);
    client.dispose();
  },
  "urql gets JSON though it would take a stream": async () => {
    const client = new Client({ url, exchanges: [fetchExchange], fetchOptions: { headers }, preferGetMethod: false });
    const { data, error } = await client.query(query, {}).toPromise();
    assert.equal(error, undefined);
    assert.equal(data.__typename, "Query");
    const failed = await client.query(wrong, {}).toPromise();
    assert(failed.error.graphQLErrors[0].extensions.code);
  },
  "Apollo Client runs a query and reads errors": async () => {
    const client = new ApolloClient({ link: new HttpLink({ uri: url, headers }), cache: new InMemoryCache() });
    const { data } = await client.query({ query: gql(query), fetchPolicy: "no-cache" });
    assert.equal(data.__typename, "Query");
    await assert.rejects(client.query({ query: gql(wrong) }), (error) => Boolean(error.errors[0].extensions.code));
    client.stop();
  },
};

if (subscription) {
  const request = { query: subscription };
  Object.assign(clients, {
    "graphql-ws follows a subscription": async () => {
      const client = socket();
      assert.equal((await results(client, request, 3)).filter(({ data }) => data).length, 3);
      await client.dispose();
    },
    "graphql-sse follows a subscription": async () => {
      const client = events();
      assert.equal((await results(client, request, 3)).filter(({ data }) => data).length, 3);
      client.dispose();
    },
    "urql follows a subscription over HTTP": async () => {
      const exchanges = [fetchExchange];
      await followed(new Client({ url, exchanges, fetchOptions: { headers }, fetchSubscriptions: true }));
    },
    "urql follows a subscription over graphql-ws": async () => {
      const client = socket();
      const forwardSubscription = (asked) => ({
        subscribe: (sink) => ({ unsubscribe: client.subscribe({ ...asked, query: asked.query ?? "" }, sink) }),
      });
      await followed(new Client({ url, exchanges: [subscriptionExchange({ forwardSubscription })] }));
      await client.dispose();
    },
    "Apollo Client follows a subscription over graphql-ws": async () => {
      const ws = socket();
      const client = new ApolloClient({ link: new GraphQLWsLink(ws), cache: new InMemoryCache() });
      await heardThree((next, error) => client.subscribe({ query: gql(subscription) }).subscribe({ next, error }));
      client.stop();
      await ws.dispose();
    },
  });
}

const followed = (client) =>
  heardThree((next) => client.subscription(subscription, {}).subscribe(({ data, error }) => next({ data, error })));

const heardThree = (start) =>
  new Promise((resolve, reject) => {
    let count = 0;
    const running = start(({ data, error }) => {
      if (error || !data) reject(error ?? new Error("no data"));
      if (++count === 3) {
        running.unsubscribe();
        resolve();
      }
    }, reject);
  });

const patience = (promise) =>
  Promise.race([
    promise,
    new Promise((_, reject) => setTimeout(() => reject(new Error("heard nothing for 10 seconds")), 10_000).unref()),
  ]);

// urql leaves the rejection of the request that it aborts itself to nobody.
process.on("unhandledRejection", (reason) => {
  if (reason?.name !== "AbortError") throw reason;
});

let passed = 0;
let failed = 0;
const report = (name, fault) => {
  fault ? failed++ : passed++;
  console.log(`${fault ? "FAILED" : "ok    "} ${name}${fault ? `\n       ${fault}` : ""}`);
};

for (const { id, name, status, ...audit } of await auditServer({
  url,
  fetchFn: (to, init = {}) => fetch(to, { ...init, headers: { ...headers, ...init.headers } }),
})) {
  report(`audit ${id} ${name}`, status !== "ok" && `${status}: ${audit.reason}`);
}
for (const [name, client] of Object.entries(clients)) {
  try {
    await patience(client());
    report(name);
  } catch (error) {
    report(name, error?.stack ?? JSON.stringify(error));
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
