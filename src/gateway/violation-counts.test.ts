import { once } from "node:events";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { parseAeTitle } from "../dicom/ae-title.ts";
import { type Logger, silentLogger } from "../units/logger.ts";
import { type ListenerSettings, openListener, refuseEverything } from "./listener.ts";
import { createViolationCounts } from "./violation-counts.ts";

const aeTitle = parseAeTitle("RADFERRY");
const settings: ListenerSettings = {
  dicom: { aeTitle, host: "127.0.0.1", port: 0, rules: {}, users: [], maximumPduLength: 16_384 },
};

/** PDU type FFH, reserved, length 0. PS3.8 9.3.1. */
const NO_PDU = Buffer.from([0xff, 0x00, 0x00, 0x00, 0x00, 0x00]);

it("sums up what peers of the listener did wrong", async () => {
  const counts = createViolationCounts();
  {
    await using listener = await openListener(settings, {
      store: refuseEverything,
      logger: silentLogger,
      onViolation: counts.note,
    });
    for (const _ of [1, 2]) {
      const socket = connect(listener.port ?? 0, "127.0.0.1").resume();
      socket.end(NO_PDU);
      await once(socket, "close");
    }
  }
  const lines: unknown[] = [];
  counts.log({ ...silentLogger, info: (message, fields) => void lines.push([message, fields]) } satisfies Logger);
  expect(lines).toEqual([["how often peers broke the protocol", { violation: "PDU_TYPE_UNKNOWN", count: 2 }]]);
});
