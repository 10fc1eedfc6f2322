import type { ServerResponse } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { tags } from "../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../src/dicom/dictionary/transfer-syntaxes.ts";
import { dataSetOf } from "../src/dicom/values.ts";
import { encodeDataSet, encodeFileMeta } from "../src/dicom/writer.ts";
import { startRad69Responder } from "../src/network/ihe/responder/responder.ts";
import { sampleCt } from "../test/peers/sample-objects.ts";
import { objectSet, SET_NAMES } from "./sets.ts";

/**
 * `rad69-server-main.ts PORT SET [BYTES_PER_SECOND]`: an imaging document source that answers from memory, in HTTP chunks of 16 KiB as
 * servlet containers write them; no faster than so many bytes a second on each connection. The set `giant` is one object of 2 GiB.
 */
const [port = "", set = "", limit = ""] = process.argv.slice(2);

const CHUNK_BYTES = 16 * 1024;
const CHUNKS_AT_ONCE = 32;
const GIANT_BYTES = 2 ** 31;
const BLOCK = Buffer.alloc(1024 * 1024, 7);

interface Held {
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly pieces: readonly Uint8Array[];
  readonly repeated?: number;
}

function giant(): Held {
  const { dataSet, ...sample } = sampleCt(1, 1, 1);
  const meta = encodeFileMeta({ ...sample, transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN });
  const header = encodeDataSet(
    dataSetOf([...dataSet.values()].filter(({ tag }) => tag !== tags.PixelData)),
    EXPLICIT_VR_LITTLE_ENDIAN,
  );
  // (7FE0,0010) OW with its length. PS3.5 7.1.2.
  const pixelData = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixelData.writeUInt32LE(GIANT_BYTES, 8);
  return { ...sample, pieces: [meta, header, pixelData], repeated: GIANT_BYTES / BLOCK.length };
}

function objectsOf(name: string): readonly Held[] {
  if (name === "giant") return [giant()];
  const known = SET_NAMES.find((one) => one === name);
  if (known === undefined) throw new Error(`no such set: ${name}`);
  const { objects, pixels } = objectSet(known);
  return objects.map(({ fileMeta, header, ...uids }) => ({ ...uids, pieces: [fileMeta, header, pixels] }));
}

const held = new Map(objectsOf(set).map((one) => [one.sopInstanceUid, one]));

async function* bytesOf({ pieces, repeated = 0 }: Held): AsyncGenerator<Uint8Array> {
  yield* pieces;
  for (let count = 0; count < repeated; count += 1) yield BLOCK;
}

/** So many chunks are given to the socket together: what is measured is who reads them. */
async function write(response: ServerResponse, body: AsyncIterable<Uint8Array>): Promise<void> {
  const bytesPerMs = Number(limit) / 1_000;
  const startedAtMs = performance.now();
  let sent = 0;
  let chunks = 0;
  // The socket, not the response: that one would join the chunks.
  const { socket } = response;
  socket?.cork();
  const drained = async (): Promise<void> => {
    socket?.uncork();
    if (response.writableNeedDrain) await new Promise((resolve) => response.once("drain", resolve));
    const aheadMs = bytesPerMs > 0 ? sent / bytesPerMs - (performance.now() - startedAtMs) : 0;
    if (aheadMs > 1) await delay(aheadMs);
    socket?.cork();
  };
  for await (const piece of body) {
    for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
      const chunk = piece.subarray(at, at + CHUNK_BYTES);
      response.write(chunk);
      sent += chunk.length;
      chunks += 1;
      if (chunks % CHUNKS_AT_ONCE === 0) await drained();
    }
  }
  socket?.uncork();
  response.end();
}

await startRad69Responder({
  port: Number(port),
  lenient: true,
  write,
  source: {
    async find({ documentUniqueId: sopInstanceUid }) {
      const one = held.get(sopInstanceUid);
      if (one === undefined) return undefined;
      const { studyInstanceUid } = one;
      return {
        studyInstanceUid,
        seriesInstanceUid: `${studyInstanceUid}.1`,
        sopInstanceUid,
        transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
        sizeBytes: 0,
        open: () => bytesOf(one),
      };
    },
  },
});
