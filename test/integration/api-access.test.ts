import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { routes } from "../../src/http/routes/routes.ts";
import { OPERATION_ROLES } from "../../src/operations/roles.ts";
import { ROLES, type Role } from "../../src/units/actor.ts";
import { type ApiSite, openApiSite } from "../support/api.ts";

let site: ApiSite;
const tokens = new Map<Role, string>();

beforeAll(async () => {
  site = await openApiSite();
  for (const role of ROLES) tokens.set(role, await site.tokenOf(`a-${role}`, role));
});
afterAll(() => site[Symbol.asyncDispose]());

/** Each route at an address where nothing is. */
const addresses = routes.map((route) => ({ route, path: route.path.replaceAll(/\{\w+\}/g, "nothing") }));

describe("who has no token", () => {
  it.each(["//", "//docs", "//style.css", "//openapi.json", "//health/live", "//health/ready", "//metrics"])(
    "sees %s, also of a gateway that has nothing configured",
    async (path) => {
      expect((await site.call("GET", path, { token: "" })).status).toBe(200);
    },
  );

  it.each([...addresses.map(({ route, path }) => [route.method, path]), ["GET", "/nothing"], ["GET", ""]])(
    "is refused %s %s, and not told what is there",
    async (method = "", path = "") => {
      const { status, headers, json } = await site.call(method, path, { token: "" });
      expect(status).toBe(401);
      expect(headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
      expect(headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(json).toMatchObject({ code: "API_TOKEN_MISSING", status: 401 });
    },
  );
});

it("has no document of studies that are sent where it takes none", async () => {
  const { json } = await site.call("GET", "//openapi.json");
  expect(Object.keys((json as { readonly paths: object }).paths)).not.toContain("/dicomweb/studies");
  expect((await site.call("POST", "//dicomweb/studies")).status).toBe(404);
});

describe("roles", () => {
  it("are those of the operations", () => {
    expect(routes.map(({ least }) => least)).toEqual(routes.map(({ operation }) => OPERATION_ROLES[operation]));
  });

  const matrix = addresses
    .filter(({ route }) => route.path !== "/events")
    .flatMap(({ route, path }) =>
      ROLES.map((role) => ({
        role,
        method: route.method,
        path,
        isAllowed: ROLES.indexOf(role) >= ROLES.indexOf(route.least),
      })),
    );
  it.each(matrix)("$role, $method $path: $isAllowed", async ({ role, method, path, isAllowed }) => {
    const { status, json } = await site.call(method, path, { token: tokens.get(role) });
    if (isAllowed) expect([401, 403]).not.toContain(status);
    else expect({ status, json }).toMatchObject({ status: 403, json: { code: "ROLE_INSUFFICIENT" } });
    expect(status).toBeLessThan(500);
  });

  it("write refusals to the audit trail, under the token's name", async () => {
    await site.call("GET", "/settings", { token: tokens.get("viewer") });
    const { json } = await site.call("GET", "/audit?limit=2");
    expect(json).toMatchObject({
      items: [
        {
          event: "operation-refused",
          outcome: "refused",
          actor: { name: "a-viewer", kind: "token", role: "viewer" },
          detail: { operation: "showSettings", needed: "operator" },
        },
        { event: "audit-read", actor: { name: "first-admin" } },
      ],
    });
  });
});

describe("a token", () => {
  it("opens nothing any more once it is revoked", async () => {
    const token = await site.tokenOf("short", "viewer");
    expect((await site.call("GET", "/me", { token })).json).toMatchObject({ name: "short", role: "viewer" });
    expect((await site.call("DELETE", "/tokens/short")).json).toMatchObject({ state: "revoked" });
    expect((await site.call("GET", "/me", { token })).json).toMatchObject({ code: "API_TOKEN_INVALID" });
  });

  it("is shown once, and its secret is nowhere else", async () => {
    const token = await site.tokenOf("secretive", "viewer");
    for (const path of ["/tokens", "/audit?limit=200", "/settings", "//metrics"])
      expect((await site.call("GET", path)).text).not.toContain(token);
  });

  it.each([
    ["a name that is taken", { name: "a-admin", role: "viewer" }, 409, "TOKEN_NAME_TAKEN"],
    ["a project that is not there", { name: "x", role: "viewer", projects: ["none"] }, 404, "PROJECT_UNKNOWN"],
    ["another role", { name: "x", role: "king" }, 422, "API_REQUEST_INVALID"],
    ["no end", { name: "x", role: "viewer", days: 100_000 }, 422, "API_REQUEST_INVALID"],
    ["more than is known", { name: "x", role: "viewer", more: 1 }, 422, "API_REQUEST_INVALID"],
  ])("is not made with %s", async (_, body, status, code) => {
    expect(await site.call("POST", "/tokens", { body })).toMatchObject({ status, json: { code } });
  });
});

describe("a request", () => {
  it.each([
    [
      "JSON that is none",
      "POST",
      "/tokens",
      { body: "{", headers: { "content-type": "application/json" } },
      400,
      "API_REQUEST_MALFORMED",
    ],
    ["no body", "POST", "/tokens", {}, 422, "API_REQUEST_INVALID"],
    [
      "a body of another kind",
      "POST",
      "/tokens",
      { body: "a=1", headers: { "content-type": "text/x" } },
      415,
      "API_CONTENT_TYPE_UNSUPPORTED",
    ],
    ["a body that is too long", "POST", "/tokens", { body: { name: "x".repeat(2 << 20) } }, 413, "API_BODY_TOO_LARGE"],
    [
      "a file of another kind",
      "POST",
      "/cohorts?project=x",
      { body: "a", headers: { "content-type": "image/png" } },
      415,
      "API_CONTENT_TYPE_UNSUPPORTED",
    ],
    ["a path that cannot be read", "GET", "/studies/%", {}, 400, "API_REQUEST_MALFORMED"],
    ["a state that is none", "GET", "/studies?state=lost", {}, 422, "API_REQUEST_INVALID"],
    ["a page that is too long", "GET", "/studies?limit=201", {}, 422, "API_REQUEST_INVALID"],
    ["a cursor of nobody's", "GET", "/studies?cursor=job-000000000000", {}, 422, "API_REQUEST_INVALID"],
    ["an address that is not there", "GET", "/nothing", {}, 404, "API_ADDRESS_UNKNOWN"],
    ["another method", "DELETE", "/overview", {}, 405, "API_METHOD_NOT_ALLOWED"],
    ["a study that is not there", "GET", "/studies/job-000000000000", {}, 404, "JOB_NOT_FOUND"],
    [
      "a key that is none",
      "POST",
      "/studies/job-0/retry",
      { headers: { "idempotency-key": "ä".repeat(3) } },
      422,
      "API_REQUEST_INVALID",
    ],
  ] as const)("with %s is answered as a problem", async (_, method, path, ask, status, code) => {
    const answer = await site.call(method, path, ask);
    expect(answer).toMatchObject({ status, json: { status, code, type: `urn:radferry:error:${code}` } });
    expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  });

  it("is told every problem, and none of its own words", async () => {
    const body = { name: "<script>", role: "<b>", days: "many" };
    const { json, text } = await site.call("POST", "/tokens", { body });
    expect(json).toMatchObject({ problems: [{ at: "name" }, { at: "role" }, { at: "days" }] });
    expect(text).not.toMatch(/script|<b>|many/);
  });

  it("is answered with headers that let no page misuse it", async () => {
    for (const path of ["//", "//docs", "/overview", "/nothing", "//metrics"]) {
      const { headers } = await site.call("GET", path);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(headers.get("content-security-policy")).not.toMatch(/unsafe|\*/);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cache-control")).toBe("no-store");
    }
  });

  it("that is no HTTP is told so, and cut", async () => {
    const socket = connect(Number(new URL(site.url).port), "127.0.0.1");
    socket.end("HELLO\r\n\r\n");
    let text = "";
    for await (const chunk of socket.setEncoding("utf8")) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toContain("API_REQUEST_MALFORMED");
  });
});

describe("a browser's session", () => {
  async function logIn() {
    const answer = await site.call("POST", "//session", { token: "", body: { token: tokens.get("operator") } });
    const cookie = answer.headers.get("set-cookie") ?? "";
    const { proof } = answer.json as { readonly proof: string };
    return { answer, cookie: cookie.split(";")[0] ?? "", setCookie: cookie, proof };
  }

  it("begins with a token, and is a cookie that no script and no other site's page can use", async () => {
    const { answer, cookie, setCookie, proof } = await logIn();
    expect(answer).toMatchObject({ status: 201, json: { name: "a-operator", role: "operator" } });
    expect(setCookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43(?:200|1\d\d)$/);
    const ask = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
      site.call(method, path, { token: "", headers: { cookie, ...headers } });
    expect(await ask("GET", "/me")).toMatchObject({ status: 200, json: { kind: "browser" } });
    expect(await ask("POST", "/cohorts/cohort-0/retry")).toMatchObject({
      status: 403,
      json: { code: "API_SESSION_UNPROVEN" },
    });
    const proven = { "x-radferry-session": proof };
    expect((await ask("POST", "/cohorts/cohort-0/retry", proven)).status).toBe(404);
    expect((await ask("POST", "/cohorts/cohort-0/retry", { ...proven, "sec-fetch-site": "cross-site" })).status).toBe(
      403,
    );
    expect(await ask("GET", "//session")).toMatchObject({ json: { proof } });
  });

  it("is no bearer token, and ends when somebody logs out", async () => {
    const { cookie, proof } = await logIn();
    const secret = cookie.split("=")[1];
    expect((await site.call("GET", "/me", { token: secret })).status).toBe(401);
    const again = await site.call("POST", "//session", { token: "", body: { token: secret } });
    expect(again).toMatchObject({ status: 401, json: { code: "API_TOKEN_INVALID" } });
    const headers = { cookie, "x-radferry-session": proof };
    expect((await site.call("DELETE", "//session", { token: "", headers })).status).toBe(204);
    expect((await site.call("GET", "/me", { token: "", headers })).status).toBe(401);
  });

  it("ends with the token that it was begun with", async () => {
    const token = await site.tokenOf("for-a-while", "operator");
    const begun = await site.call("POST", "//session", { token: "", body: { token } });
    const headers = { cookie: (begun.headers.get("set-cookie") ?? "").split(";")[0] ?? "" };
    expect((await site.call("GET", "/me", { token: "", headers })).status).toBe(200);
    expect((await site.call("DELETE", "/tokens/for-a-while")).status).toBe(200);
    expect((await site.call("GET", "/me", { token: "", headers })).status).toBe(401);
  });

  it("does not begin with a wrong token, and not for ever", async () => {
    const codes = new Set<unknown>();
    for (let turn = 0; turn < 25; turn += 1) {
      const { json } = await site.call("POST", "//session", { token: "", body: { token: `wrong ${turn}` } });
      codes.add((json as { readonly code: string }).code);
    }
    expect(codes).toEqual(new Set(["API_TOKEN_INVALID", "API_RATE_LIMITED"]));
    // Who has a good one is let in all the same.
    expect((await site.call("GET", "/me")).status).toBe(200);
  });
});
