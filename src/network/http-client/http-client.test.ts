import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { makeCertificate } from "../../../test/peers/certificates.ts";
import { freePort } from "../../../test/peers/free-port.ts";
import { requirePeer } from "../../../test/peers/require-peer.ts";
import { startHttpServer } from "../../../test/support/http-server.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { basicAuthentication, bearerAuthentication } from "./authentication.ts";
import { openHttpClient } from "./http-client.ts";
import { readJson, readText } from "./read-body.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const hasOpenssl = requirePeer("openssl");

/** What is bulk comes over connections of our own, all else over undici's: nobody can tell which. */
const WAYS = [
  ["as usual", false],
  ["as bulk", true],
] as const;

/** One request to a server that answers so, as text. */
async function askOnce(answer: Answer, request: Parameters<ReturnType<typeof openHttpClient>["request"]>[0] = {}) {
  await using server = await startHttpServer(answer);
  await using client = openHttpClient({ baseUrl: `${server.url}/base` });
  await using response = await client.request(request);
  return { status: response.status, text: await readText(response, 1_000) };
}

describe("a request", () => {
  it("goes below the base URL, with its query, and brings status and body", async () => {
    const { status, text } = await askOnce(
      (request, response) => response.end(`${request.method} ${request.url} ${request.headers["accept-encoding"]}`),
      { path: "studies", query: [["limit", "1&2"]] },
    );
    expect({ status, text }).toEqual({ status: 200, text: "GET /base/studies?limit=1%262 gzip, deflate" });
  });

  it("sends texts, bytes and streams", async () => {
    await using server = await startHttpServer((request, response) => request.pipe(response));
    await using client = openHttpClient({ baseUrl: server.url, connections: 1 });
    const stream = async function* () {
      yield Buffer.from("a str");
      yield Buffer.from("eam");
    };
    for (const body of ["a stream", Buffer.from("a stream"), stream]) {
      await using response = await client.request({ method: "POST", body });
      expect(await readText(response, 100)).toBe("a stream");
    }
    expect(server.connections()).toBe(1);
  });

  it.each(WAYS)("waits however long the time-outs are: %s", async (_, bulk) => {
    await using server = await startHttpServer((_request, response) => {
      response.write("be");
      setTimeout(() => response.end("gun"), 20);
    });
    const longMs = 1e12;
    const timeouts = { connectMs: longMs, headersMs: longMs, idleMs: longMs, totalMs: longMs };
    await using client = openHttpClient({ baseUrl: server.url, timeouts });
    await using response = await client.request({ bulk });
    expect(await readText(response, 100)).toBe("begun");
  });

  it("asks for bulk as it is, and decodes what comes compressed all the same", async () => {
    const { text } = await askOnce(
      (request, response) => {
        response.setHeader("content-encoding", "gzip");
        response.end(gzipSync(`${request.headers["accept-encoding"]}`));
      },
      { bulk: true },
    );
    expect(text).toBe("identity");
  });

  it.each([...WAYS].flatMap(([name, bulk]) => [200, 204].map((status) => [status, name, bulk] as const)))(
    "takes an empty body for empty, whatever coding it is said to have: %d, %s",
    async (status, _, bulk) => {
      const answer: Answer = (_request, response) => response.writeHead(status, { "content-encoding": "gzip" }).end();
      expect(await askOnce(answer, { bulk })).toEqual({ status, text: "" });
    },
  );

  it("follows a redirect within the origin, and no other", async () => {
    const answer: Answer = (request, response) => {
      if (request.url === "/base/there") return response.end("arrived");
      response.writeHead(302, { location: request.url === "/base/away" ? "http://login.example/" : "/base/there" });
      response.end();
    };
    expect((await askOnce(answer, { path: "here" })).text).toBe("arrived");
    await expect(askOnce(answer, { path: "away" })).rejects.toMatchObject({ code: "HTTP_REDIRECTED", status: 302 });
    await expect(askOnce(answer, { path: "here", method: "POST" })).rejects.toMatchObject({ code: "HTTP_REDIRECTED" });
    await expect(askOnce(answer, { path: "http://login.example/" })).rejects.toMatchObject({ code: "HTTP_REDIRECTED" });
  });

  it.each([
    [401, "HTTP_UNAUTHORISED", "permanent"],
    [403, "HTTP_FORBIDDEN", "permanent"],
    [404, "HTTP_NOT_FOUND", "permanent"],
    [413, "HTTP_REFUSED", "permanent"],
    [429, "HTTP_TOO_MANY_REQUESTS", "transient"],
    [500, "HTTP_SERVER_FAILED", "ambiguous"],
    [502, "HTTP_UNAVAILABLE", "transient"],
    [503, "HTTP_UNAVAILABLE", "transient"],
  ])("makes of status %i a typed error that names no address", async (status, code, errorClass) => {
    const answer: Answer = (_, response) => {
      response.writeHead(status, { "retry-after": "7" });
      response.end("patient 1.2.3 is unknown");
    };
    const failure = await askOnce(answer, { path: "studies/1.2.3" }).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code, class: errorClass, status, retryAfterMs: 7_000 });
    expect(JSON.stringify(failure)).not.toContain("1.2.3");
  });

  it("takes any status that the caller will look at", async () => {
    const answer: Answer = (_, response) => response.writeHead(500).end("a fault");
    expect(await askOnce(answer, { accepts: (status) => status === 500 })).toEqual({ status: 500, text: "a fault" });
  });
});

describe("authentication", () => {
  it("sends what basic and bearer need", async () => {
    await using server = await startHttpServer((request, response) => response.end(request.headers.authorization));
    for (const [authentication, expected] of [
      [basicAuthentication("alice", async () => "pässword"), "Basic YWxpY2U6cMOkc3N3b3Jk"],
      [bearerAuthentication(async () => "token"), "Bearer token"],
    ] as const) {
      await using client = openHttpClient({ baseUrl: server.url, authentication });
      await using response = await client.request({});
      expect(await readText(response, 100)).toBe(expected);
    }
  });

  it("logs in once for all requests, and once more when the session is over", async () => {
    let valid = "";
    let logins = 0;
    await using server = await startHttpServer((request, response) => {
      if (request.headers.cookie !== valid) response.statusCode = 401;
      response.end();
    });
    const logIn = async () => {
      logins += 1;
      valid = `session=${logins}`;
      return { cookie: valid };
    };
    await using client = openHttpClient({ baseUrl: server.url, authentication: { logIn } });
    const askTenTimes = () =>
      Promise.all(
        Array.from({ length: 10 }, async () => {
          await using response = await client.request({ method: "POST", body: "again" });
          return response.status;
        }),
      );
    expect(new Set(await askTenTimes())).toEqual(new Set([200]));
    expect(logins).toBe(1);
    valid = "session=expired";
    expect(new Set(await askTenTimes())).toEqual(new Set([200]));
    expect(logins).toBe(2);
  });

  it("gives up after one more login, and at once when it would be the same", async () => {
    let requests = 0;
    let logins = 0;
    await using server = await startHttpServer((_, response) => {
      requests += 1;
      response.writeHead(401).end();
    });
    const logIn = async () => {
      logins += 1;
      return { cookie: `session=${logins}` };
    };
    await using changing = openHttpClient({ baseUrl: server.url, authentication: { logIn } });
    await expect(changing.request({})).rejects.toMatchObject({ code: "HTTP_UNAUTHORISED" });
    expect({ requests, logins }).toEqual({ requests: 2, logins: 2 });
    await using same = openHttpClient({ baseUrl: server.url, authentication: bearerAuthentication(async () => "old") });
    await expect(same.request({})).rejects.toMatchObject({ code: "HTTP_UNAUTHORISED" });
    expect(requests).toBe(3);
  });
});

describe.each(WAYS)("an answer, %s", (_way, bulk) => {
  it("ends the connection when its reader leaves early", async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    await using server = await startHttpServer((_, response) => {
      response.write("the beginning");
      response.once("close", resolve);
    });
    await using client = openHttpClient({ baseUrl: server.url });
    await using response = await client.request({ bulk });
    for await (const _ of response.body) break;
    await closed;
  });

  it.each([
    ["headers", 300, 20, undefined, () => {}, "HTTP_HEADERS_TIMED_OUT"],
    ["the middle", 20, 300, undefined, (response: ServerResponse) => response.write("so far"), "HTTP_IDLE_TIMED_OUT"],
    ["the whole", 20_000, 20_000, 50, (response: ServerResponse) => response.write("so far"), "HTTP_TOTAL_TIMED_OUT"],
  ])("that does not come in time is a typed error: %s", async (_, idleMs, headersMs, totalMs, begin, code) => {
    await using server = await startHttpServer((__, response) => void begin(response));
    await using client = openHttpClient({ baseUrl: server.url, timeouts: { headersMs, idleMs, totalMs } });
    const reading = client.request({ bulk }).then((response) => readText(response, 100));
    await expect(reading).rejects.toMatchObject({ code, class: "transient" });
  });

  it("that comes a byte now and then is given up, though it is never silent", async () => {
    await using server = await startHttpServer((_, response) => {
      const drip = setInterval(() => response.write("."), 10);
      response.once("close", () => clearInterval(drip));
    });
    const slowest = { bytesPerSecond: 1_000, overMs: 200 };
    await using client = openHttpClient({ baseUrl: server.url, timeouts: { headersMs: 150, idleMs: 150, slowest } });
    const reading = client.request({ bulk }).then((response) => readText(response, 100_000));
    await expect(reading).rejects.toMatchObject({ code: "HTTP_TOO_SLOW", class: "transient" });
  });

  it.each([
    ["a length that is not kept", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", "HTTP_CONNECTION_LOST"],
    [
      "chunks without an end",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      "HTTP_CONNECTION_LOST",
    ],
    ["headers without an end", `HTTP/1.1 200 OK\r\n${"X-More: of it\r\n".repeat(6_000)}`, "HTTP_HEADERS_TOO_LARGE"],
    ["no answer", "", "HTTP_CONNECTION_LOST"],
    ["no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", "HTTP_PROTOCOL_VIOLATION"],
  ])("with %s is a typed error", async (_, bytes, code) => {
    await using server = createServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(bytes)));
    const port = await freePort();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${port}` });
    await expect(client.request({ bulk }).then((response) => readText(response, 100))).rejects.toMatchObject({ code });
  });

  it.each([
    ["ends before its coding does", gzipSync("all of it").subarray(0, -3), "HTTP_CONNECTION_LOST"],
    ["is not in its coding", Buffer.from("all of it"), "HTTP_PROTOCOL_VIOLATION"],
    ["goes on behind its coding", Buffer.concat([gzipSync("all"), Buffer.from(" of it")]), "HTTP_PROTOCOL_VIOLATION"],
  ])("whose body %s is a typed error", async (_, body, code) => {
    await using server = await startHttpServer((__, response) => {
      response.setHeader("content-encoding", "gzip");
      response.end(body);
    });
    await using client = openHttpClient({ baseUrl: server.url });
    await expect(client.request({ bulk }).then((response) => readText(response, 100))).rejects.toMatchObject({ code });
  });

  it("may end with the connection, as in HTTP/1.0", async () => {
    await using server = createServer((socket) =>
      socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nall of it")),
    );
    const port = await freePort();
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${port}` });
    expect(await readText(await client.request({ bulk }), 100)).toBe("all of it");
  });

  it("brings a long body unharmed, however slow its reader is", async () => {
    const lines = Array.from({ length: 400_000 }, (_, line) => `line ${line}\n`).join("");
    await using server = await startHttpServer((_, response) => {
      for (let at = 0; at < lines.length; at += 65_536) response.write(lines.slice(at, at + 65_536));
      response.end();
    });
    await using client = openHttpClient({ baseUrl: server.url });
    await using response = await client.request({ bulk });
    const pieces: Uint8Array[] = [];
    for await (const piece of response.body) {
      pieces.push(piece);
      await setImmediate();
    }
    expect(Buffer.concat(pieces).toString() === lines).toBe(true);
  });

  it("leaves its connection to the next request when it has been read, and no more than allowed are open", async () => {
    await using server = await startHttpServer((_, response) => response.end("as long as that"));
    await using client = openHttpClient({ baseUrl: server.url, connections: 2 });
    const ask = async () => {
      await using response = await client.request({ bulk });
      return await readText(response, 100);
    };
    expect(new Set(await Promise.all(Array.from({ length: 10 }, ask)))).toEqual(new Set(["as long as that"]));
    expect(server.connections()).toBe(2);
  });

  it("ends with the reason of the signal", async () => {
    const abort = new AbortController();
    await using server = await startHttpServer((_, response) => void response.write("so far"));
    await using client = openHttpClient({ baseUrl: server.url });
    await using response = await client.request({ bulk, signal: abort.signal });
    const reading = readText(response, 100);
    abort.abort(new Error("enough"));
    await expect(reading).rejects.toThrow("enough");
    await expect(client.request({ bulk, signal: abort.signal })).rejects.toThrow("enough");
  });
});

describe.each(WAYS)("a peer, %s", (_way, bulk) => {
  it("that does not listen is a typed error", async () => {
    await using client = openHttpClient({ baseUrl: `http://127.0.0.1:${await freePort()}` });
    await expect(client.request({ bulk })).rejects.toMatchObject({ code: "CONNECTION_FAILED", class: "transient" });
  });

  it.each([
    ["http", "CONNECTION_FAILED"],
    ["https", "TLS_INTERRUPTED"],
  ])("that resets each connection by %s is not reached: %s", async (scheme, code) => {
    await using server = createServer((socket) => socket.resetAndDestroy());
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo;
    await using client = openHttpClient({ baseUrl: `${scheme}://127.0.0.1:${port}` });
    await expect(client.request({ bulk })).rejects.toMatchObject({ code, class: "transient" });
  });

  it.skipIf(!hasOpenssl)("is known by its certificate, and knows us by ours", async () => {
    await using folder = await temporaryFolder();
    const [server, ours] = [await makeCertificate(folder.path, "server"), await makeCertificate(folder.path, "ours")];
    const tls = { cert: server.certificate, key: server.key, ca: ours.certificate, requestCert: true };
    await using listening = await startHttpServer((_, response) => response.end("safe"), tls);
    const ask = async (given: Parameters<typeof openHttpClient>[0]["tls"], baseUrl = listening.url) => {
      await using client = openHttpClient({ baseUrl, tls: given });
      return await readText(await client.request({ bulk }), 100);
    };
    const { certificate, key } = ours;
    const certificateAuthorities = server.certificate;
    expect(await ask({ certificateAuthorities, certificate, key })).toBe("safe");
    await expect(ask({})).rejects.toMatchObject({ code: "TLS_CERTIFICATE_UNTRUSTED" });
    // Node's server closes when it misses a certificate; whether its alert is read before is a matter of who is first.
    await expect(ask({ certificateAuthorities })).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:HTTP_CONNECTION_LOST|TLS_CERTIFICATE_REFUSED)$/),
    });
    await expect(ask({ certificateAuthorities, serverName: "other" })).rejects.toMatchObject({
      code: "TLS_CERTIFICATE_NAME_WRONG",
    });
    await using plain = await startHttpServer((_, response) => response.end());
    await expect(ask({}, plain.url.replace("http", "https"))).rejects.toMatchObject({ code: "TLS_NOT_SPOKEN" });
  });
});

describe("JSON", () => {
  const read = async (text: string, type = "application/dicom+json") => {
    await using server = await startHttpServer((_, response) => response.setHeader("content-type", type).end(text));
    await using client = openHttpClient({ baseUrl: server.url });
    return await readJson(await client.request({}), { sizeBytes: 1_000, depth: 4 });
  };

  it("is read, an empty body as nothing", async () => {
    expect(await read('[{"a":"[[[[[[\\"{{"}]')).toEqual([{ a: '[[[[[["{{' }]);
    expect(await read("")).toBeUndefined();
  });

  it.each([
    ["a web page", "<html>log in</html>", "text/html; charset=utf-8", "HTTP_CONTENT_UNEXPECTED"],
    ["too long a text", `"${"x".repeat(1_000)}"`, undefined, "HTTP_BODY_TOO_LARGE"],
    ["too deep a text", "[[[[[]]]]]", undefined, "HTTP_JSON_INVALID"],
    ["no JSON", "{", undefined, "HTTP_JSON_INVALID"],
  ])("that is %s is a typed error", async (_, text, type, code) => {
    await expect(read(text, type)).rejects.toMatchObject({ code });
  });
});
