import { readdir } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type ApiSite, openApiSite } from "../support/api.ts";
import { followEvents } from "../support/event-stream.ts";

let site: ApiSite;
beforeAll(async () => {
  const apiLimits = { requestMs: 400, idleMs: 800, uploadBytes: 1_000, burst: 30, requestsPerSecond: 1, streams: 2 };
  site = await openApiSite({ apiLimits });
});
afterAll(() => site[Symbol.asyncDispose]());

/** Everything that comes until the other side ends it. */
async function conversation(...sent: readonly string[]): Promise<string> {
  const socket: Socket = connect(Number(new URL(site.url).port), "127.0.0.1");
  for (const text of sent) socket.write(text.replaceAll("\n", "\r\n"));
  let text = "";
  for await (const chunk of socket.setEncoding("utf8")) text += chunk;
  return text;
}

const head = (method: string, path: string, more: string): string =>
  `${method} ${path} HTTP/1.1\nHost: radferry\nAuthorization: Bearer ${site.admin}\n${more}`;

/** Its body never comes to its end. */
const cutShort = (method: string, path: string, header: string): string =>
  `${method} ${path} HTTP/1.1\nHost: radferry\n${header}\nContent-Length: 1000000\n\n`;

it("cuts whoever does not send his request in time", async () => {
  const answers = await Promise.all([
    conversation("GET /api/v1/overview HTTP/1.1\nHost: radferry\nX-Slow: "),
    conversation(head("POST", "/api/v1/tokens", 'Content-Type: application/json\nContent-Length: 100\n\n{"name":')),
    conversation(head("POST", "/api/v1/cohorts?project=x", "Content-Type: text/csv\nContent-Length: 900\n\nuid")),
  ]);
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
});

it("cuts whoever falls silent after a request", async () => {
  expect(await conversation(head("GET", "/api/v1/me", "\n"))).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
});

it.each([
  ["that expects what nobody has heard of", cutShort("POST", "/session", "Expect: foo"), 417],
  ["that brings a body which nobody reads", cutShort("GET", "/health/live", "Accept: */*"), 200],
  ["that is refused", cutShort("POST", "/api/v1/cohorts", "Accept: */*"), 401],
])("waits for nothing more of a request %s", async (_, request, status) => {
  const [answer = "", ...others] = (await conversation(request, "GET / HTTP/1.1\nHost: a\n\n")).split(/(?=HTTP\/1)/);
  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(answer.toLowerCase()).toContain("\r\nconnection: close\r\n");
  expect(others).toEqual([]);
});

it("counts a request whose client hung up, before it was whole or while it was answered", async () => {
  const { port } = new URL(site.url);
  const socket = connect(Number(port), "127.0.0.1");
  const asked = head("POST", "/api/v1/cohorts/check?project=x", "Content-Type: text/csv\nContent-Length: 900\n\nuid");
  socket.write(asked.replaceAll("\n", "\r\n"), () => socket.destroy());
  await (await followEvents(site.url, site.admin))[Symbol.asyncDispose]();
  for (const route of ["POST /api/v1/cohorts/check", "GET /api/v1/events"])
    await vi.waitFor(async () => {
      const { text } = await site.call("GET", "//metrics", { token: "" });
      expect(text).toMatch(`radferry_http_requests_total{route="${route}",status="cut"} `);
    }, 10_000);
});

it("refuses a file that is too long without keeping anything of it", async () => {
  const body = "study_instance_uid\n".padEnd(2_000, "1.2\n");
  const answer = await site.call("POST", "/cohorts/check?project=x", { body, headers: { "content-type": "text/csv" } });
  expect(answer).toMatchObject({ status: 413, json: { code: "API_BODY_TOO_LARGE" } });
  const home = join(site.service.folder, "home");
  expect(await readdir(join(home, "uploads"))).toEqual([]);
});

it("lets so many follow the events, and no more", async () => {
  await using _first = await followEvents(site.url, site.admin);
  const second = await followEvents(site.url, site.admin);
  expect(await site.call("GET", "/events")).toMatchObject({ status: 503, json: { code: "API_STREAMS_EXHAUSTED" } });
  await second[Symbol.asyncDispose]();
});

it("tells who asks too often how long to wait", async () => {
  const statuses = new Set<number>();
  let retryAfter: string | null = null;
  for (let turn = 0; turn < 40; turn += 1) {
    const { status, headers } = await site.call("GET", "/me");
    statuses.add(status);
    if (status === 429) retryAfter = headers.get("retry-after");
  }
  expect([...statuses].sort()).toEqual([200, 429]);
  expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
});
