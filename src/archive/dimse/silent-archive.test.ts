import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { associateAcceptPdu } from "../../../test/peers/pdu-fixtures.ts";
import { parseAeTitle, parseDicomAddress } from "../../dicom/ae-title.ts";
import { parseStudyInstanceUid } from "../../dicom/uid.ts";
import type { DimseTimeouts } from "../../network/dimse/service-types.ts";
import { serve } from "../../network/dimse/testing/pair.ts";
import { startScriptedProvider } from "../../network/dimse/testing/scripted-provider.ts";
import { abortAfter, neverAborted } from "../../units/abort.ts";
import { systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import { createExpectations } from "../expectations.ts";
import { createDimseArchive } from "./dimse-archive.ts";

/** Longer than a test lasts: who waits for the peer to close waits in vain. */
const FOREVER_MS = 600_000;

/** A machine that takes connections, answers the association at most, and closes nothing. */
async function startSilentPeer(answer: Uint8Array | undefined) {
  const sockets = new Set<Socket>();
  const left = Promise.withResolvers<void>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => answer !== undefined && socket.write(answer));
    // A connection that nobody has any more resets what is sent over it.
    const poke = (): void => void socket.write("?", (error) => (error ? undefined : setImmediate(poke)));
    socket.once("end", poke);
    socket.once("close", () => left.resolve());
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: parseDicomAddress(`SILENT@127.0.0.1:${(server.address() as AddressInfo).port}`),
    /** The other end is gone for good. */
    left: left.promise,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** An archive that our settings call so, with one association at a time. */
function archiveAt(port: number, retrieve: "get" | "move", timeouts: Partial<DimseTimeouts> = {}) {
  return createDimseArchive({
    ...{ name: "ours", address: parseDicomAddress(`ARCHIVE@127.0.0.1:${port}`), retrieve, associations: 1 },
    ...{ callingAeTitle: parseAeTitle("RADFERRY"), expectations: createExpectations(systemClock) },
    ...{ store: async () => ({ refuse: 0xa700 }), quietMs: 1, silenceMs: 1, clock: systemClock, logger: silentLogger },
    timeouts,
  });
}

const question = { by: "study-uid", studyInstanceUid: parseStudyInstanceUid("1.2.3") } as const;

it.each(["move", "get"] as const)("keeps no question waiting that it does not answer: C-%s", async (retrieve) => {
  await using provider = await startScriptedProvider({ onRequest: () => undefined });
  await using archive = archiveAt(provider.port, retrieve, { idleTimeoutMs: 100 });
  await expect(archive.findStudies(question, neverAborted())).rejects.toMatchObject({ code: "TIMED_OUT" });
  await expect(archive.listStudy(question.studyInstanceUid, neverAborted())).rejects.toMatchObject({
    code: "TIMED_OUT",
  });
});

it("that takes one association at a time is not asked for a second while one is kept", async () => {
  const find = async function* () {};
  await using server = await serve({ handlers: { find }, rules: { maximumAssociations: 1 } });
  await using archive = archiveAt(server.port, "get");
  for (const _ of [1, 2]) {
    expect(await archive.findStudies(question, neverAborted())).toEqual([]);
    await archive.echo(neverAborted());
  }
});

it.each([
  ["an association", undefined, { connectTimeoutMs: 50 }],
  ["a C-ECHO", associateAcceptPdu(), { connectTimeoutMs: FOREVER_MS }],
])("keeps nobody waiting for longer than was said when it does not answer %s", async (_, answer, timeouts) => {
  await using peer = await startSilentPeer(answer);
  await using archive = createDimseArchive({
    ...{ name: "silent", address: peer.address, retrieve: "get", associations: 1 },
    ...{ callingAeTitle: parseAeTitle("RADFERRY"), expectations: createExpectations(systemClock) },
    ...{ store: async () => ({ refuse: 0xa700 }), quietMs: 1, silenceMs: 1, clock: systemClock, logger: silentLogger },
    timeouts: { ...timeouts, artimTimeoutMs: FOREVER_MS, idleTimeoutMs: FOREVER_MS },
  });
  using limit = answer === undefined ? undefined : abortAfter(50);
  await expect(archive.echo(limit ?? neverAborted())).rejects.toMatchObject({ code: "TIMED_OUT" });
  await peer.left;
});
