import { Duplex } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { tapBinaryFrames } from "./binary-tap.ts";
import { unmask } from "./frame-reader.ts";

const MASK = Uint8Array.of(0x11, 0x22, 0x33, 0x44);

/** RFC 6455 5.2: FIN and opcode, masked and length, mask, payload. */
function frame(opcode: number, payload: Uint8Array, { isFinal = true } = {}): Buffer {
  const first = opcode | (isFinal ? 0x80 : 0);
  const length =
    payload.length < 126
      ? Buffer.of(0x80 | payload.length)
      : payload.length < 65_536
        ? Buffer.of(0x80 | 126, payload.length >> 8, payload.length & 0xff)
        : Buffer.concat([
            Buffer.of(0x80 | 127, 0, 0, 0, 0),
            Buffer.of(0, payload.length >> 16, (payload.length >> 8) & 0xff, payload.length & 0xff),
          ]);
  const masked = payload.map((byte, index) => byte ^ (MASK[index & 3] ?? 0));
  return Buffer.concat([Buffer.of(first), length, MASK, masked]);
}

const bytesOf = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => (index * 7) & 0xff));

/** What is passed on and what is taken out, however the bytes are cut. */
async function tapped(
  pieces: readonly Uint8Array[],
  maximumFrameBytes = 1_000_000,
): Promise<{ passed: Buffer; binary: Buffer }> {
  const connection = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  const passed: Buffer[] = [];
  const binary: Buffer[] = [];
  const tap = tapBinaryFrames(connection, {
    head: new Uint8Array(),
    maximumFrameBytes,
    onBinary: (piece) => binary.push(Buffer.from(piece)),
  });
  let text = Buffer.alloc(0);
  tap.stream.on("data", (chunk) => {
    passed.push(chunk);
    text = Buffer.concat([text, chunk]);
    // As the library does it: at once, when a text is whole.
    if (texts.some((each) => text.subarray(-each.length).equals(each))) tap.textTaken();
  });
  await new Promise(setImmediate);
  tap.start();
  for (const piece of pieces) {
    connection.emit("data", Buffer.from(piece));
  }
  connection.destroy();
  return { passed: Buffer.concat(passed), binary: Buffer.concat(binary) };
}

const text = frame(0x1, Buffer.from('{"command":"ping"}'));
const lastOfText = frame(0x0, Buffer.from("xt"));
/** With these a text ends. */
const texts = [text, lastOfText];
const long = bytesOf(70_000);
const WIRE = Buffer.concat([
  text,
  frame(0x2, bytesOf(10)),
  frame(0x2, bytesOf(300), { isFinal: false }),
  frame(0x9, Buffer.from("ping")),
  frame(0x0, bytesOf(5)),
  frame(0x2, Buffer.alloc(0)),
  frame(0x1, Buffer.from("te"), { isFinal: false }),
  frame(0x0, Buffer.from("xt")),
  frame(0x2, long),
]);
const BINARY = Buffer.concat([bytesOf(10), bytesOf(300), bytesOf(5), long]);
const PASSED = Buffer.concat([
  text,
  frame(0x9, Buffer.from("ping")),
  frame(0x1, Buffer.from("te"), { isFinal: false }),
  frame(0x0, Buffer.from("xt")),
]);

it("takes binary frames out and passes the rest as it is, however the bytes come", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 200 }), async (sizes) => {
      const pieces: Uint8Array[] = [];
      let at = 0;
      for (const size of sizes) {
        pieces.push(WIRE.subarray(at, at + size));
        at += size;
      }
      pieces.push(WIRE.subarray(at));
      const { passed, binary } = await tapped(pieces);
      // Buffers are compared at once: a list of every byte would take seconds.
      expect([passed.equals(PASSED), binary.equals(BINARY)]).toEqual([true, true]);
    }),
    { numRuns: 50, seed: 7 },
  );
});

it("holds back what came behind a text until the text was taken", () => {
  const connection = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
  const binary: Buffer[] = [];
  const tap = tapBinaryFrames(connection, {
    head: Buffer.concat([text, frame(0x2, Buffer.from("data"))]),
    maximumFrameBytes: 100,
    onBinary: (piece) => binary.push(Buffer.from(piece)),
  });
  expect(tap.stream.read()).toBeNull();
  tap.start();
  expect([Buffer.concat(binary).toString(), connection.isPaused()]).toEqual(["", true]);
  tap.textTaken();
  expect([Buffer.concat(binary).toString(), connection.isPaused()]).toEqual(["data", false]);
  connection.destroy();
});

it("leaves frames that are too long, or not masked, to who speaks the protocol", async () => {
  const unmasked = Buffer.of(0x82, 3, 1, 2, 3);
  expect(await tapped([unmasked])).toEqual({ passed: unmasked, binary: Buffer.alloc(0) });
  const tooLong = frame(0x2, bytesOf(200));
  expect(await tapped([tooLong], 100)).toEqual({ passed: tooLong, binary: Buffer.alloc(0) });
});

it("unmasks at every place in memory and in the mask", () => {
  for (let offset = 0; offset < 5; offset += 1) {
    for (let phase = 0; phase < 4; phase += 1) {
      for (const length of [0, 1, 3, 4, 5, 17]) {
        const bytes = new Uint8Array(new ArrayBuffer(32), offset, length).fill(0xa5);
        unmask(bytes, MASK, phase);
        expect([...bytes]).toEqual(Array.from({ length }, (_, index) => 0xa5 ^ (MASK[(phase + index) & 3] ?? 0)));
      }
    }
  }
});
