// The page around GraphiQL: the token box, the state of the live connection, and the tabs that are there at first.
"use strict";

(() => {
  const { React, ReactDOM, GraphiQL, graphqlWs } = window;
  const settings = JSON.parse(document.getElementById("settings").textContent);
  const form = document.getElementById("token-form");
  const box = document.getElementById("token");
  const state = document.getElementById("state");
  const TOKEN = "tenet:token";
  const url = location.pathname;

  // --- The token lives as long as this tab; one in the fragment (which no server sees) is taken out of the address.
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(TOKEN, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  const token = () => sessionStorage.getItem(TOKEN) ?? "";
  const credentials = () => (token() ? { authorization: `Bearer ${token()}` } : {});
  box.value = token();

  const show = (kind, text) => {
    state.dataset.state = kind;
    state.textContent = text;
    state.title = text;
  };

  // --- HTTP: with a header that foreign pages cannot set, so that a session cookie counts.
  const ask = async (to, init) => {
    const headers = { ...init.headers, ...credentials(), "x-tenet-csrf": "1" };
    const response = await fetch(to, { ...init, headers });
    if (response.status === 401) show("bad", "The token was refused");
    return response;
  };

  // --- WebSocket: opened by the first subscription, closed after the last.
  const address = new URL(url, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  let following;
  const connect = () =>
    graphqlWs.createClient({
      url: address.href,
      connectionParams: credentials,
      shouldRetry: ({ code }) => code !== 4403,
      on: {
        connecting: () => show("busy", "Connecting ..."),
        connected: () => show("live", "Live"),
        closed: ({ code, reason }) => {
          if (code === 1000) show("idle", "Not connected");
          else if (code === 4403) show("bad", reason || "The token was refused");
          else show("bad", reason ? `Closed: ${reason}` : "The connection was lost");
        },
      },
    });
  const live = {
    subscribe: (request, { next, complete }) => {
      following ??= connect();
      // GraphiQL shows answers well, and failures of a stream badly: so those become answers.
      const error = (cause) => {
        next({ errors: Array.isArray(cause) ? cause : [{ message: cause.reason || "The connection was lost." }] });
        complete();
      };
      return following.subscribe(request, { next, error, complete });
    },
  };

  // --- Tabs: where a variable waits for a real value, the service is asked for one.
  // What is stored keeps the placeholder: the next visitor, with another token, is given a value of their own.
  const found = new Map();
  const told = new Map();
  const fill = (text) => {
    for (const [placeholder, value] of found) text = text.replaceAll(placeholder, value);
    return text;
  };
  const empty = (text) => {
    for (const [value, placeholder] of told) text = text.replaceAll(value, placeholder);
    return text;
  };
  const look = async ({ placeholder, query, path }) => {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ query }) };
    const { data } = await (await ask(url, init)).json();
    const value = path.reduce((at, step) => at?.[step], data);
    found.delete(placeholder);
    if (typeof value !== "string") return;
    found.set(placeholder, value);
    told.set(value, placeholder);
  };
  const storage = {
    get length() {
      return localStorage.length;
    },
    getItem: (key) => {
      const text = localStorage.getItem(key);
      return text === null ? null : fill(text);
    },
    setItem: (key, value) => localStorage.setItem(key, empty(value)),
    removeItem: (key) => localStorage.removeItem(key),
    clear: () => localStorage.clear(),
  };

  // What was not there when the page opened may be there now: a repository that was connected in the tab before.
  const send = GraphiQL.createFetcher({ url, fetch: ask, wsClient: live, enableIncrementalDelivery: false });
  const fetcher = async (request, options) => {
    const text = JSON.stringify(request.variables ?? null);
    const waiting = settings.examples.filter(({ placeholder }) => text.includes(placeholder));
    await Promise.allSettled(waiting.filter(({ placeholder }) => !found.has(placeholder)).map(look));
    return send(waiting.length ? { ...request, variables: JSON.parse(fill(text)) } : request, options);
  };
  // --- A link may bring an operation along: /graphql?query=...&variables=...
  const linked = new URLSearchParams(location.search);
  let mounted = 0;
  const render = async () => {
    await Promise.allSettled(settings.examples.map(look));
    const defaultTabs = settings.tabs.map(({ query, variables }) => ({
      query,
      variables: variables ? fill(JSON.stringify(variables, null, 2)) : undefined,
    }));
    const properties = {
      // Another visitor may see another schema, so GraphiQL starts anew.
      key: ++mounted,
      fetcher,
      storage,
      defaultTabs,
      query: linked.get("query") ?? undefined,
      variables: linked.get("variables") ?? undefined,
      defaultEditorToolsVisibility: "variables",
      isHeadersEditorEnabled: false,
      shouldPersistHeaders: false,
    };
    ReactDOM.render(React.createElement(GraphiQL, properties), document.getElementById("graphiql"));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const entered = box.value.trim().replace(/^bearer\s+/i, "");
    if (entered === token()) return;
    if (entered) sessionStorage.setItem(TOKEN, entered);
    else sessionStorage.removeItem(TOKEN);
    following?.dispose();
    following = undefined;
    show("idle", "Not connected");
    render();
  });

  render();
})();
