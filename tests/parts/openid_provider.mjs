// An OpenID Connect provider for tests: any address signs in; one that begins with "unverified" is not verified.
// "other|address" is another account with the same address.
// node openid_provider.mjs PORT CLIENT_ID CLIENT_SECRET REDIRECT_URI HOME
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

globalThis.crypto ??= (await import("node:crypto")).webcrypto; // Node 18 has it, by another name
const require = createRequire(`${process.env.EMBLEM_TESTS_NODE}/package.json`);
const { Provider } = await import(pathToFileURL(require.resolve("oidc-provider")));
const [port, client_id, client_secret, redirect, home] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id, client_secret, redirect_uris: [redirect], post_logout_redirect_uris: [home] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"] },
  cookies: { keys: ["a key of the tests"] },
  pkce: { required: () => false }, // it does not ask for it: the client sends it all the same
  async findAccount(_context, id) {
    return { accountId: id, claims: async () => ({ sub: id, email: id.split("|").pop(), email_verified: !id.startsWith("unverified") }) };
  },
});
provider.listen(Number(port), "127.0.0.1");
