import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBroker } from "../../src/compat/pixl/intake/broker.ts";
import { parkMessage } from "../../src/compat/pixl/intake/park.ts";
import { PARKED_QUEUE } from "../../src/compat/pixl/intake/queues.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";
import { silentLogger } from "../../src/units/logger.ts";
import { type RabbitMqServer, startRabbitMq } from "../peers/rabbitmq.ts";
import { requirePeer } from "../peers/require-peer.ts";
import { runCli } from "../support/cli.ts";

describe.skipIf(!requirePeer("rabbitmq-server"))("parked messages", () => {
  let rabbit: RabbitMqServer;
  beforeAll(async () => {
    rabbit = await startRabbitMq();
  });
  afterAll(() => rabbit[Symbol.asyncDispose]());

  const run = async (...args: readonly string[]): Promise<unknown> => {
    const environment = { RABBITMQ_PORT: `${rabbit.port}` };
    return JSON.parse((await runCli(["pixl", "parked", ...args, "--json"], { environment })).stdout);
  };

  it("are listed without what they hold, sent back byte for byte, and discarded, by their reason", async () => {
    await using broker = openBroker({ port: rabbit.port });
    const park = (
      queue: "imaging-primary" | "imaging-secondary",
      text: string,
      priority: number,
      failure: GatewayError,
    ) => parkMessage({ broker, logger: silentLogger }, queue, { body: Buffer.from(text), priority, failure });
    const unsafe = new GatewayError("PIXL_MESSAGE_KEY_UNSAFE", { field: "mrn", reason: "wildcard" });
    const missing = new GatewayError("INSTANCES_MISSING", { missing: 2 });
    await park("imaging-primary", '{"mrn": "1*"}', 1, unsafe);
    await park("imaging-secondary", '{"mrn":  "2"}\u00a0', 4, missing);
    await park("imaging-primary", '{"mrn": "3"}', 2, missing);

    const listed = [
      { code: "INSTANCES_MISSING", queue: "imaging-secondary", priority: 4, sizeBytes: 15 },
      { code: "INSTANCES_MISSING", queue: "imaging-primary", priority: 2, sizeBytes: 12 },
      { code: "PIXL_MESSAGE_KEY_UNSAFE", queue: "imaging-primary", priority: 1, sizeBytes: 13, field: "mrn" },
    ];
    const list = await run("list");
    expect(list).toMatchObject(listed);
    expect(JSON.stringify(list)).not.toContain("1*");
    expect(await run("list", "--bodies")).toMatchObject([
      { body: '{"mrn":  "2"}\u00a0' },
      {},
      { body: '{"mrn": "1*"}' },
    ]);
    expect(await broker.count(PARKED_QUEUE)).toBe(3);

    expect(await run("replay", "--code", "INSTANCES_MISSING")).toEqual({ messages: 2 });
    expect(await broker.count(PARKED_QUEUE)).toBe(1);
    await using back = await broker.look("imaging-secondary");
    expect(await Array.fromAsync(back.messages())).toEqual([
      { queue: "imaging-secondary", body: Buffer.from('{"mrn":  "2"}\u00a0'), priority: 4, headers: {} },
    ]);
    expect(await broker.count("imaging-primary")).toBe(1);

    expect(await run("discard")).toEqual({ messages: 1 });
    expect(await run("list")).toEqual([]);
    expect(await broker.count("imaging-primary")).toBe(1);
  });

  it("are found however many others lie before them", async () => {
    await using broker = openBroker({ port: rabbit.port });
    const body = Buffer.from("{}");
    const park = (code: string, priority: number) =>
      broker.publish({ queue: PARKED_QUEUE, body, priority, headers: { "radferry-code": code } });
    const others = 10_001;
    for (let sent = 0; sent < others; sent += 100)
      await Promise.all(Array.from({ length: Math.min(100, others - sent) }, () => park("PIXL_MESSAGE_KEY_UNSAFE", 5)));
    await park("INSTANCES_MISSING", 1);

    expect(await run("discard", "--code", "INSTANCES_MISSING")).toEqual({ messages: 1 });
    expect(await run("list")).toHaveLength(others);
    expect(await run("discard")).toEqual({ messages: others });
  });
});
