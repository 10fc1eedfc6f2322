import { beforeEach, expect, it } from "vitest";
import { abortPdu, associateRequestPdu } from "../../../test/peers/pdu-fixtures.ts";
import { playScript } from "../../../test/peers/scripted-peer.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import type { LogFields, Logger } from "../../units/logger.ts";
import { silentLogger } from "../../units/logger.ts";
import { serve } from "./testing/pair.ts";

let lines: (readonly [string, LogFields])[];
const line = (event: string, fields: LogFields = {}): void => void lines.push([event, fields]);
const logger: Logger = { ...silentLogger, info: line, warn: line };
beforeEach(() => {
  lines = [];
});

it("a listener writes one line for what is no DICOM, however often it comes from there", async () => {
  const counted: string[] = [];
  {
    await using server = await serve({
      logger,
      onViolation: (violation) => void counted.push(violation),
      timeouts: { artimTimeoutMs: 50 },
    });
    for (let count = 0; count < 3; count += 1)
      await playScript(server.port, [{ send: Buffer.from("GET / HTTP/1.1\r\n\r\n") }, { expectEnd: true }]);
  }
  const told = { violation: "PDU_TYPE_UNKNOWN", remoteHost: "127.0.0.1" };
  expect(lines).toEqual([
    ["the peer broke the protocol", told],
    ["the peer broke the protocol", { ...told, count: 2 }],
  ]);
  expect(counted).toHaveLength(3);
});

it("a listener writes one line for what ends associations early, however often a host does it", async () => {
  {
    await using server = await serve({ logger, aeTitle: parseAeTitle("CALLED") });
    for (let count = 0; count < 3; count += 1)
      await playScript(server.port, [
        { send: associateRequestPdu },
        { expectPdu: 0x02 },
        { send: abortPdu(0, 0) },
        { expectEnd: true },
      ]);
  }
  const told = { code: "ASSOCIATION_ABORTED", remoteHost: "127.0.0.1" };
  expect(lines).toMatchObject([
    ["association ended early", told],
    ["association ended early", { ...told, count: 2 }],
  ]);
});
