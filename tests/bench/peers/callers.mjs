// Who is calling, for both peers, by Tenet's own rule: a token that was proved within the last second stands, any other
// is verified and its user's organizations are read anew.
import { createVerifier } from "fast-jwt";

const FRESH_MILLISECONDS = 1000;
const MOST_KNOWN = 10_000;

export class Unauthenticated extends Error {}

/** Makes `viewerOf(authorization)`; `organizationsOf` reads the organizations of a user. */
export function callers(secret, organizationsOf) {
  const verify = createVerifier({
    key: secret,
    algorithms: ["HS256"],
    allowedIss: "tenet",
    allowedAud: "tenet",
    requiredClaims: ["sub", "exp"],
    clockTolerance: 10_000,
  });
  const known = new Map();

  async function proved(token) {
    let claims;
    try {
      claims = verify(token);
    } catch (error) {
      throw new Unauthenticated("The access token is not valid.", { cause: error });
    }
    const viewer = { userId: claims.sub, organizationIds: await organizationsOf(claims.sub) };
    known.set(token, { viewer, until: performance.now() + FRESH_MILLISECONDS });
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value);
    return viewer;
  }

  return (authorization) => {
    if (!authorization?.startsWith("Bearer ")) throw new Unauthenticated("Send a bearer token.");
    const token = authorization.slice(7);
    const found = known.get(token);
    return found !== undefined && found.until > performance.now() ? found.viewer : proved(token);
  };
}
