import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { dataPdu } from "../../../test/peers/pdu-fixtures.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../dicom/dictionary/transfer-syntaxes.ts";
import { proposeAssociation } from "../upper-layer/negotiation.ts";
import { encodePdu } from "../upper-layer/pdu-encoder.ts";
import { COMMAND_FIELD, encodeCommandSet, NO_DATA_SET } from "./command-set.ts";
import { chooseToEnd } from "./make-room.ts";
import { VERIFICATION_SOP_CLASS } from "./service-classes.ts";
import { ct, open, serve } from "./testing/pair.ts";

const [HOG, SENDER] = ["127.0.0.2", "127.0.0.1"] as const;
const IDLE_MS = 10_000;
const rules = { maximumAssociations: 3 };
const [VERIFICATION, STORAGE] = [1, 3] as const;
const [LAST_OF_COMMAND, DATA] = [0x03, 0x00] as const;

let stack: AsyncDisposableStack;
let laterMs: number;
beforeEach(() => {
  stack = new AsyncDisposableStack();
  laterMs = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + laterMs);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await stack.disposeAsync();
});

const proposal = encodePdu(
  proposeAssociation(
    { calledAeTitle: "ARCHIVE", callingAeTitle: "HOG" },
    [VERIFICATION_SOP_CLASS, ct].map((abstractSyntaxUid) => ({
      abstractSyntaxUid,
      transferSyntaxUids: [EXPLICIT_VR_LITTLE_ENDIAN],
    })),
    16_384,
  ),
);
const echo = encodeCommandSet({
  affectedSopClassUid: VERIFICATION_SOP_CLASS,
  commandField: COMMAND_FIELD["C-ECHO-RQ"],
  messageId: 1,
  commandDataSetType: NO_DATA_SET,
});
const store = encodeCommandSet({
  affectedSopClassUid: ct,
  commandField: COMMAND_FIELD["C-STORE-RQ"],
  messageId: 1,
  priority: 0,
  commandDataSetType: 1,
  affectedSopInstanceUid: "1.2.3.4",
});

/** An association from an address of its own; what comes after is answered by anything. */
async function associate(port: number, localAddress: string) {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  socket.on("error", () => {});
  stack.defer(() => void socket.destroy());
  const ended = once(socket, "close");
  socket.write(proposal);
  await once(socket, "data");
  return {
    ended,
    isOpen: () => !socket.closed,
    async ask(...pdus: readonly Uint8Array[]) {
      for (const pdu of pdus) socket.write(pdu);
      await once(socket, "data");
    },
    say: (pdu: Uint8Array) => socket.write(pdu),
    leave: () => socket.destroy(),
  };
}

it("a full listener ends what has long been idle for a newcomer, C-ECHO or not", async () => {
  await using server = await serve({ rules });
  const hogs = [];
  for (let count = 0; count < rules.maximumAssociations; count += 1) hogs.push(await associate(server.port, HOG));
  await expect(open(server)).rejects.toMatchObject({ code: "ASSOCIATION_REJECTED_TRANSIENT" });
  laterMs = IDLE_MS;
  await hogs[0]?.ask(dataPdu(VERIFICATION, LAST_OF_COMMAND, echo));
  await using association = await open(server);
  await association.echo();
  await hogs[0]?.ended;
  expect(hogs.map((hog) => hog.isOpen())).toEqual([false, true, true]);
});

it("a full listener ends none that is in the middle of a data set", async () => {
  const opened = Promise.withResolvers<void>();
  const { handler } = memoryStore();
  const handlers = {
    store: async (...asked: Parameters<typeof handler>) => {
      opened.resolve();
      return await handler(...asked);
    },
  };
  await using server = await serve({ rules: { maximumAssociations: 1 }, handlers });
  const sender = await associate(server.port, SENDER);
  sender.say(dataPdu(STORAGE, LAST_OF_COMMAND, store));
  sender.say(dataPdu(STORAGE, DATA, Buffer.alloc(10)));
  await opened.promise;
  laterMs = IDLE_MS;
  await expect(open(server)).rejects.toMatchObject({ code: "ASSOCIATION_REJECTED_TRANSIENT" });
  expect(sender.isOpen()).toBe(true);
  sender.leave();
});

it("a full listener ends one that drips a data set, and not one that sends slowly", async () => {
  const { handler } = memoryStore();
  let heard = Promise.withResolvers<void>();
  const handlers = {
    async store(...asked: Parameters<typeof handler>) {
      const sink = await handler(...asked);
      if ("refuse" in sink) return sink;
      const write = (): void => {
        heard.resolve();
      };
      return { ...sink, write };
    },
  };
  const more = async (sender: Awaited<ReturnType<typeof associate>>, length: number): Promise<void> => {
    heard = Promise.withResolvers<void>();
    sender.say(dataPdu(STORAGE, DATA, Buffer.alloc(length)));
    await heard.promise;
  };
  await using server = await serve({ rules: { maximumAssociations: 2 }, handlers });
  const slow = await associate(server.port, SENDER);
  const dripping = await associate(server.port, HOG);
  for (const sender of [slow, dripping]) {
    sender.say(dataPdu(STORAGE, LAST_OF_COMMAND, store));
    await more(sender, 10);
  }
  for (let time = 0; time < 14; time += 1) {
    laterMs += IDLE_MS;
    await more(slow, 2 * IDLE_MS);
    await more(dripping, 10);
  }
  await using association = await open(server);
  await association.echo();
  await dripping.ended;
  expect(slow.isOpen()).toBe(true);
  slow.leave();
});

it.each([
  ["of the address with the most idle ones, the longest idle", ["b 4", "a 3", "a 2", "a 20"], "a 2"],
  ["not of one that holds many and works with all of them", ["a -", "a -", "a -", "b 3"], "b 3"],
  ["none that was at work a moment ago", ["a 91", "a -", "b 99"], undefined],
])("ends %s", (_, held, ended) => {
  const associations = held.map((name) => {
    const [remoteAddress = "", worked] = name.split(" ");
    return { name, remoteAddress, workedAtMs: worked === "-" ? undefined : Number(worked) * 1_000 };
  });
  expect(chooseToEnd(associations, 100_000)?.name).toBe(ended);
});
