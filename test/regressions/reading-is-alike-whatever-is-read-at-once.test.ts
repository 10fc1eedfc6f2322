import { expect, it } from "vitest";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource, readPart10 } from "../../src/dicom/reader.ts";
import { encodeFileMeta } from "../../src/dicom/writer.ts";
import { GatewayError } from "../../src/errors/gateway-error.ts";

const meta = encodeFileMeta({
  sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  sopInstanceUid: "1.2.3",
  transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
});

async function outcomeOf(bytes: Uint8Array, windowBytes: number): Promise<unknown> {
  try {
    const { findings, dataSet } = await readPart10(bytesSource(bytes), { windowBytes });
    return { findings, dataSet };
  } catch (thrown) {
    return thrown instanceof GatewayError ? [thrown.code, thrown.details] : thrown;
  }
}

it.each([
  // Half a header: (0008,0000) UL, and no length
  ["a file cut off behind its meta", "080000005554"],
  // (0000,0000) implicit VR, empty, and zeros: they were reported twice
  ["zeros where a data set should be", "0000000000000000" + "0000000000000000"],
])("%s is judged alike: a small window hid that the group length of the file meta is right", async (_, rest) => {
  const bytes = Buffer.concat([meta, Buffer.from(rest, "hex")]);
  const outcome = await outcomeOf(bytes, 64 * 1024);
  for (const windowBytes of [1, 8, 140, 150]) expect(await outcomeOf(bytes, windowBytes)).toEqual(outcome);
});
