import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "../peers/free-port.ts";
import { startOpenIdIssuer } from "../peers/openid-issuer.ts";
import { openApiSite } from "../support/api.ts";
import { type Browser, openBrowser } from "../support/browser.ts";
import { type OidcSite, openOidcSite } from "../support/oidc-site.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function sessionOf({ site }: OidcSite, browser: Browser) {
  const answer = await browser.ask("GET", `${site.url}/session`);
  return (await answer.json()) as { readonly proof: string; readonly expiresAt: string };
}

const SAM = { subject: "u-4711", claims: { preferred_username: "sam", groups: ["lung-team", "staff"] } };

describe("a log-in by OpenID Connect", () => {
  let at: OidcSite;
  beforeAll(async () => {
    at = await openOidcSite();
  });
  afterAll(() => at[Symbol.asyncDispose]());
  beforeEach(() => {
    at.issuer.user = SAM;
    at.aheadMs = 0;
  });

  /** Up to where the issuer sends the browser back: that address, not asked yet. */
  async function atTheDoor(browser: Browser): Promise<URL> {
    const { url } = await browser.go(`${at.site.url}/session/oidc`, `${at.site.url}/session/oidc/callback`);
    return new URL(url);
  }
  async function auditOf(event: string) {
    const { json } = await at.site.call("GET", "/audit?limit=200");
    const { items } = json as { readonly items: readonly { readonly event: string }[] };
    return items.filter((record) => record.event === event);
  }

  it("is offered to whom is not logged in, and does not ask the issuer for that", async () => {
    const { status, json } = await at.site.call("GET", "//session", { token: "" });
    expect(status).toBe(401);
    expect(json).toMatchObject({
      code: "API_TOKEN_MISSING",
      ways: [
        { by: "token", url: "/session" },
        { by: "openid connect", name: "University account", url: "/session/oidc" },
      ],
    });
    expect(at.issuer.asked).toEqual([]);
  });

  it("ends in a session like any other, under the user's name, until he logs out", async () => {
    const browser = openBrowser();
    const { url, response } = await browser.go(`${at.site.url}/session/oidc`);
    expect({ url, status: response?.status }).toEqual({ url: `${at.site.url}/`, status: 200 });
    expect(browser.cookieOf(at.site.url, "radferry_oidc")).toBeUndefined();
    const session = await sessionOf(at, browser);
    expect(session).toMatchObject({ name: "oidc:sam", role: "operator", projects: null });
    expect(await (await browser.ask("GET", `${at.site.url}/api/v1/me`)).json()).toMatchObject({ kind: "browser" });
    const [begun] = await auditOf("session-begun");
    expect(begun).toMatchObject({ actor: { name: "oidc:sam", kind: "browser" }, detail: { by: "openid connect" } });
    const proof = { "x-radferry-session": session.proof };
    expect((await browser.ask("POST", `${at.site.url}/api/v1/cohorts/cohort-0/retry`)).status).toBe(403);
    expect((await browser.ask("DELETE", `${at.site.url}/session`, proof)).status).toBe(204);
    expect((await browser.ask("GET", `${at.site.url}/api/v1/me`)).status).toBe(401);
    expect(await auditOf("session-ended")).toMatchObject([{ actor: { name: "oidc:sam" } }]);
  });

  it("sends along state, nonce and a challenge, other ones each time", async () => {
    const seen = new Set<string | null>();
    for (let turn = 0; turn < 2; turn += 1) {
      const answer = await openBrowser().ask("GET", `${at.site.url}/session/oidc`);
      const { searchParams, origin } = new URL(answer.headers.get("location") ?? "");
      expect(origin).toBe(at.issuer.url);
      expect(searchParams.get("code_challenge_method")).toBe("S256");
      for (const name of ["state", "nonce", "code_challenge"]) seen.add(searchParams.get(name));
      expect(answer.headers.get("set-cookie")).toMatch(
        /^radferry_oidc=[\w-]+; Path=\/session\/oidc; HttpOnly; SameSite=Lax; Max-Age=600$/,
      );
    }
    expect(seen.size).toBe(6);
  });

  it.each<[string, (back: URL, browser: Browser) => Promise<unknown> | undefined, string]>([
    ["another state", (back) => void back.searchParams.set("state", "x"), "OIDC_ANSWER_INVALID"],
    ["no state", (back) => void back.searchParams.delete("state"), "OIDC_ANSWER_INVALID"],
    ["another code", (back) => void back.searchParams.set("code", "x"), "OIDC_LOG_IN_EXPIRED"],
    ["another issuer", (back) => void back.searchParams.set("iss", "https://evil.example.org"), "OIDC_ANSWER_INVALID"],
    [
      "another browser's cookie",
      async (_, browser) => {
        const other = openBrowser();
        await other.ask("GET", `${at.site.url}/session/oidc`);
        browser.setCookie(at.site.url, "radferry_oidc", other.cookieOf(at.site.url, "radferry_oidc") ?? "");
      },
      "OIDC_ANSWER_INVALID",
    ],
    [
      "a cookie of its own making",
      async (_, browser) => browser.setCookie(at.site.url, "radferry_oidc", Buffer.alloc(200).toString("base64url")),
      "OIDC_ANSWER_INVALID",
    ],
    [
      "its coming back a quarter of an hour late",
      async () => {
        at.aheadMs = 15 * MINUTE_MS;
      },
      "OIDC_LOG_IN_EXPIRED",
    ],
  ])("is refused with %s", async (_, spoil, code) => {
    const browser = openBrowser();
    const back = await atTheDoor(browser);
    await spoil(back, browser);
    const answer = await browser.ask("GET", back.href);
    expect(answer.headers.get("location")).toBe(`/?log-in=${code}`);
    expect(browser.cookieOf(at.site.url, "radferry_session")).toBeUndefined();
  });

  it("is refused with a nonce that was not ours", async () => {
    const browser = openBrowser();
    const begun = await browser.ask("GET", `${at.site.url}/session/oidc`);
    const asked = new URL(begun.headers.get("location") ?? "");
    asked.searchParams.set("nonce", "another");
    const { url } = await browser.go(asked.href);
    expect(url).toBe(`${at.site.url}/?log-in=OIDC_ANSWER_INVALID`);
  });

  it("is refused with an ID token that has ended by our clock", async () => {
    at.aheadMs = 2 * HOUR_MS;
    expect(await at.logIn()).toBe("/?log-in=OIDC_LOG_IN_EXPIRED");
  });

  it("is refused to whom the issuer does not let in", async () => {
    at.issuer.user = undefined;
    expect(await at.logIn()).toBe("/?log-in=OIDC_LOG_IN_REFUSED");
  });

  it("is refused to a user without a role here, which the audit trail tells with his name", async () => {
    at.issuer.user = { subject: "u-1", claims: { preferred_username: "eve", groups: ["staff"] } };
    expect(await at.logIn()).toBe("/?log-in=OIDC_USER_UNMAPPED");
    const records = await auditOf("session-refused");
    expect(records.at(-1)).toMatchObject({ actor: { name: "oidc:eve" }, detail: { code: "OIDC_USER_UNMAPPED" } });
  });

  it("that is refused stands in the audit trail, however fast the issuer sends the browser back", async () => {
    await using own = await openOidcSite({ failuresPerMinute: 20 });
    own.issuer.user = undefined;
    expect(await own.logIn()).toBe("/?log-in=OIDC_LOG_IN_REFUSED");
    expect(await own.logIn()).toBe("/?log-in=OIDC_LOG_IN_REFUSED");
    const { json } = await own.site.call("GET", "/audit?limit=200");
    const { items } = json as { readonly items: readonly { readonly event: string; readonly detail: object }[] };
    const refused = items.filter(({ event }) => event === "session-refused");
    expect(refused.map(({ detail }) => detail)).toMatchObject([{ code: "OIDC_LOG_IN_REFUSED" }]);
  });

  it("is good for one time", async () => {
    const browser = openBrowser();
    const back = await atTheDoor(browser);
    expect((await browser.ask("GET", back.href)).headers.get("location")).toBe("/");
    expect((await browser.ask("GET", back.href)).headers.get("location")).toBe("/?log-in=OIDC_ANSWER_INVALID");
  });
});

describe("a log-in by OpenID Connect, with other settings,", () => {
  const endOf = async (at: OidcSite): Promise<number> => {
    const browser = openBrowser();
    expect(await at.logIn(browser)).toBe("/");
    const { expiresAt } = await sessionOf(at, browser);
    return Date.parse(expiresAt) - Date.now();
  };

  it("ends with the ID token, or after the hours of the settings where that is not wanted", async () => {
    await using short = await openOidcSite({ idTokenSeconds: 300 });
    short.issuer.user = SAM;
    expect(await endOf(short)).toBeLessThanOrEqual(300_000);
    await using long = await openOidcSite({ idTokenSeconds: 300, oidc: { endWithIdToken: false, sessionHours: 2 } });
    long.issuer.user = SAM;
    expect(await endOf(long)).toBeGreaterThan(HOUR_MS);
  });

  it("finds claims in the user information, below other members; who is in no group may be a viewer", async () => {
    const oidc = { claim: "realm_access.roles", nameClaim: "nick", leastRole: "viewer" };
    await using at = await openOidcSite({ claimsElsewhere: true, oidc });
    const logIn = async (claims: Readonly<Record<string, unknown>>) => {
      const browser = openBrowser();
      at.issuer.user = { subject: "u-4711", claims };
      await at.logIn(browser);
      return await sessionOf(at, browser);
    };
    expect(await logIn({ realm_access: { roles: ["imaging-admins"] } })).toMatchObject({
      name: "oidc:u-4711",
      role: "admin",
    });
    expect(await logIn({})).toMatchObject({ role: "viewer" });
  });

  it("says that the secret is wrong, and holds back who tries too often", async () => {
    await using at = await openOidcSite({ failuresPerMinute: 4 });
    at.issuer.user = SAM;
    await using folder = await temporaryFolder();
    const clientSecretFile = join(folder.path, "secret");
    await writeFile(clientSecretFile, "not the secret", { mode: 0o600 });
    await using wrong = await openOidcSite({ oidc: { issuer: at.issuer.url, clientSecretFile } });
    const back = `${wrong.site.url}/session/oidc/callback`;
    const browser = openBrowser("application/json");
    const begun = await browser.ask("GET", `${wrong.site.url}/session/oidc`);
    const { searchParams } = new URL(begun.headers.get("location") ?? "");
    const query = new URLSearchParams({ code: "x", state: searchParams.get("state") ?? "", iss: at.issuer.url });
    const answer = await browser.ask("GET", `${back}?${query}`);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ code: "OIDC_CLIENT_REFUSED" });
    for (let turn = 0; turn < 4; turn += 1) await browser.ask("GET", `${at.site.url}/session/oidc`);
    const held = await browser.ask("GET", `${at.site.url}/session/oidc`);
    expect(await held.json()).toMatchObject({ code: "API_RATE_LIMITED" });
    expect(held.headers.get("retry-after")).toMatch(/^\d+$/);
  });
});

describe("while the issuer is down", () => {
  it("the service starts, tokens work, and people are told; afterwards they can log in", async () => {
    const port = await freePort();
    await using at = await openOidcSite({ oidc: { issuer: `http://127.0.0.1:${port}` } });
    expect((await at.site.call("GET", "/me")).status).toBe(200);
    expect(await at.logIn()).toBe("/?log-in=OIDC_ISSUER_UNAVAILABLE");
    const answer = await openBrowser("application/json").ask("GET", `${at.site.url}/session/oidc`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: "OIDC_ISSUER_UNAVAILABLE", class: "transient" });
    const { checks } = await at.site.service.gateway.operations.doctor();
    expect(checks.find(({ check }) => check.includes("issuer"))).toMatchObject({
      ok: false,
      code: "OIDC_ISSUER_UNAVAILABLE",
    });
    await using issuer = await startOpenIdIssuer({ redirectUrl: `${at.site.url}/session/oidc/callback`, port });
    issuer.user = SAM;
    expect(await at.logIn()).toBe("/");
  });

  it("there is nothing to ask where it is not configured", async () => {
    await using site = await openApiSite();
    expect(await site.call("GET", "//session/oidc")).toMatchObject({
      status: 404,
      json: { code: "OIDC_NOT_CONFIGURED" },
    });
  });
});
