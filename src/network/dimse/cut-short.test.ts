import { truncate } from "node:fs/promises";
import { expect, it } from "vitest";
import { sampleCt, writeSample } from "../../../test/peers/sample-objects.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { encodeCommandSet } from "./command-set.ts";
import { type DataSetReceiver, MessageReader } from "./message-reader.ts";
import { outgoingFromFile } from "./outgoing-file.ts";
import { STATUS } from "./status.ts";
import { ct, open, serve, transferSyntaxUids } from "./testing/pair.ts";

const command = { contextId: 1, command: true, last: true, bytes: encodeCommandSet({ commandField: 1 }) };
const lastBytes = { contextId: 1, command: false, last: true, bytes: Buffer.from("the last") };

/** A receiver that writes down what is done with it. */
function recorder(write: DataSetReceiver["write"] = () => {}) {
  const seen: string[] = [];
  const receiver = { write, end: () => void seen.push("ended"), abort: () => void seen.push("aborted") };
  return { seen, receiver };
}

it("a place that is made for a data set when its sender has left is given up", async () => {
  const made = Promise.withResolvers<DataSetReceiver>();
  const { seen, receiver } = recorder();
  const reader = new MessageReader(
    () => true,
    () => made.promise,
  );
  const reading = reader.fragment(command);
  reader.end();
  made.resolve(receiver);
  await reading;
  expect(seen).toEqual(["aborted"]);
});

it("a data set whose sender leaves while its last bytes are written is given up: nobody hears that it was taken", async () => {
  const written = Promise.withResolvers<void>();
  const { seen, receiver } = recorder(() => written.promise);
  const reader = new MessageReader(
    () => true,
    () => receiver,
  );
  await reader.fragment(command);
  const reading = reader.fragment(lastBytes);
  reader.end();
  written.resolve();
  await reading;
  expect(seen).toEqual(["aborted"]);
});

it("a file that becomes shorter while it is sent is not sent as if it were whole", async () => {
  await using folder = await temporaryFolder();
  const path = await writeSample(folder.path, sampleCt(1, 1, 1, 2_048));
  const instance = await outgoingFromFile(path);
  const ended = Promise.withResolvers<string>();
  const sink = {
    write: () => {},
    async close() {
      ended.resolve("closed");
      return STATUS.success;
    },
    abort: async () => ended.resolve("aborted"),
  };
  await using server = await serve({ handlers: { store: async () => sink } });
  await using association = await open(server, { contexts: [{ abstractSyntaxUid: ct, transferSyntaxUids }] });
  const cut = async function* () {
    for await (const chunk of instance.open()) {
      yield chunk;
      await truncate(path, 5_000_000);
    }
  };
  await expect(association.store({ ...instance, open: cut })).rejects.toMatchObject({ code: "DICOM_TRUNCATED" });
  expect(await ended.promise).toBe("aborted");
});
