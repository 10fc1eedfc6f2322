import { createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { limitBody } from "./limit-body.ts";

/** At least 10,000 bytes in each fifth of a second; for as long as it takes. */
const LIMITS = { wholeMs: 600_000, slowest: { bytesPerSecond: 50_000, overMs: 200 }, idleMs: 300 };
const BODY = Buffer.alloc(4_000_000);

interface Receiver extends AsyncDisposable {
  readonly port: number;
  /** Whether the body was cut. */
  wasCut(): boolean;
}

async function receiver(
  read: (body: IncomingMessage) => Promise<number>,
  limits: Partial<typeof LIMITS> = {},
): Promise<Receiver> {
  let isCut = false;
  const server: Server = createServer(async (raw, response) => {
    limitBody(raw, response, { ...LIMITS, ...limits }, () => {
      isCut = true;
      raw.socket.destroy();
    });
    const count = await read(raw).catch(() => -1);
    response.end(`${count}`);
  });
  server.setTimeout(LIMITS.idleMs);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    wasCut: () => isCut,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answerTo(
  port: number,
  send: (body: ReturnType<typeof request>) => void,
  sizeBytes = BODY.length,
): Promise<string> {
  const asked = request({ port, host: "127.0.0.1", method: "POST", headers: { "content-length": sizeBytes } });
  const answered = new Promise<string>((resolve) => {
    asked.once("error", () => resolve("cut"));
    asked.once("response", async (response) => resolve((await response.setEncoding("utf8").toArray()).join("")));
  });
  send(asked);
  return await answered;
}

it("does not count the time in which our disk takes nothing, in the middle of a body or at its end", async () => {
  await using server = await receiver(async (body) => {
    let count = 0;
    for await (const piece of body) {
      // Longer than each limit: once near its beginning, once where all of it has come.
      const isAtPause = count === 0 || (count < BODY.length - 1_000 && count + piece.length > BODY.length - 20_000);
      if (isAtPause) await wait(700);
      count += piece.length;
    }
    return count;
  });
  expect(await answerTo(server.port, (body) => body.end(BODY))).toBe(`${BODY.length}`);
  expect(server.wasCut()).toBe(false);
});

it("cuts who sends a byte now and then, though it was held back before", async () => {
  await using server = await receiver(async (body) => {
    let count = 0;
    for await (const piece of body) {
      if (count === 0) await wait(400);
      count += piece.length;
    }
    return count;
  });
  let drip: NodeJS.Timeout | undefined;
  const answer = await answerTo(server.port, (body) => {
    body.write(BODY.subarray(0, 1_000_000));
    drip = setInterval(() => body.write("x"), 20);
  });
  clearInterval(drip);
  expect(answer).toBe("cut");
  expect(server.wasCut()).toBe(true);
});

it.each([0, 2])(
  "lets work take its time whose body of %i bytes came whole, and that nobody reads",
  async (sizeBytes) => {
    await using server = await receiver(
      async () => {
        await wait(500);
        return 1;
      },
      { wholeMs: 100 },
    );
    expect(await answerTo(server.port, (body) => body.end(BODY.subarray(0, sizeBytes)), sizeBytes)).toBe("1");
    expect(server.wasCut()).toBe(false);
  },
);
