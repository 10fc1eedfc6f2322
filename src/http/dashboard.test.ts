import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { fastify } from "fastify";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { createDashboard } from "./dashboard.ts";

const SCRIPT = "console.log('dashboard');\n".repeat(50);
const PAGE = "<!doctype html><title>Radferry</title>";

/** Serves a build with those files, asked as a browser asks. */
async function openDashboard(files: Readonly<Record<string, string | Buffer>>) {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), content);
  }
  const dashboard = createDashboard("1.2.3", folder.path);
  const server = fastify();
  for (const path of dashboard.paths) server.get(path, (request, reply) => dashboard.sendFile(path, request, reply));
  server.setNotFoundHandler((request, reply) =>
    dashboard.isPage(request) ? dashboard.sendFile("/", request, reply) : reply.code(404).send(),
  );
  return {
    folder: folder.path,
    get: (url: string, headers: Readonly<Record<string, string>> = {}) =>
      server.inject({ method: "GET", url, headers }),
    async [Symbol.asyncDispose]() {
      await server.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const BUILT = {
  "index.html": PAGE,
  "icon.svg": "<svg/>",
  "assets/app-1a2b.js": SCRIPT,
  "assets/app-1a2b.js.br": brotliCompressSync(SCRIPT),
  "assets/app-1a2b.js.gz": gzipSync(SCRIPT),
};

it("sends what is named by its digest to be kept for ever, the rest to be asked about each time, and the page not", async () => {
  await using site = await openDashboard(BUILT);
  const script = await site.get("/assets/app-1a2b.js");
  expect(script.headers).toMatchObject({
    "cache-control": "public, max-age=31536000, immutable",
    "content-type": "text/javascript; charset=utf-8",
    vary: "accept-encoding",
  });
  const icon = await site.get("/icon.svg");
  expect(icon.headers["cache-control"]).toBe("no-cache");
  const again = await site.get("/icon.svg", { "if-none-match": String(icon.headers.etag) });
  expect([icon.statusCode, icon.body, again.statusCode, again.body]).toEqual([200, "<svg/>", 304, ""]);
  expect((await site.get("/")).headers["cache-control"]).toBe("no-store");
});

it.each([
  ["br, gzip", "br"],
  ["gzip, deflate", "gzip"],
  ["br;q=0, gzip;q=0.5", "gzip"],
  ["", undefined],
])("sends to who accepts %j what the build compressed as %s", async (accepted, coding) => {
  await using site = await openDashboard(BUILT);
  const answer = await site.get("/assets/app-1a2b.js", { "accept-encoding": accepted });
  expect(answer.headers["content-encoding"]).toBe(coding);
  expect(answer.rawPayload.length < SCRIPT.length).toBe(coding !== undefined);
});

it("lets nothing run or be loaded that is not its own", async () => {
  await using site = await openDashboard(BUILT);
  const policy = String((await site.get("/")).headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain("unsafe");
});

it("answers a browser that comes to one of its pages, and nobody else", async () => {
  await using site = await openDashboard(BUILT);
  const html = { accept: "text/html,application/xhtml+xml" };
  expect((await site.get("/cohorts/c-1?state=failed", html)).body).toBe(PAGE);
  expect((await site.get("/cohorts/c-1", { accept: "application/json" })).statusCode).toBe(404);
  for (const path of ["/api/v1/nothing", "/api", "/assets/gone.js", "/..%2fsecret", "/a/b/c/d/e/f"])
    expect((await site.get(path, html)).statusCode).toBe(404);
});

it("sends a file that could not be read for a moment as soon as it can be", async () => {
  await using site = await openDashboard(BUILT);
  const [page, away] = [join(site.folder, "index.html"), join(site.folder, "away")];
  await rename(page, away);
  expect((await site.get("/")).statusCode).toBe(500);
  await rename(away, page);
  expect((await site.get("/")).body).toBe(PAGE);
});

it("says how it is built where it is not", async () => {
  await using site = await openDashboard({});
  const { statusCode, body } = await site.get("/");
  expect(statusCode).toBe(200);
  expect(body).toContain("npm ci");
});
