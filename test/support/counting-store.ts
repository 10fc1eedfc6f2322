import { parseAeTitle } from "../../src/dicom/ae-title.ts";
import type { DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { parseDataSet } from "../../src/dicom/reader.ts";
import { dataSetOf, textElement, uidOf } from "../../src/dicom/values.ts";
import { startDimseServer } from "../../src/network/dimse/server.ts";
import type { DimseServer, StoreHandler } from "../../src/network/dimse/service-types.ts";

/** A DICOM store that counts how often each SOP Instance UID was stored, and lists what it holds by C-FIND. */
export interface CountingStore extends AsyncDisposable {
  readonly address: string;
  readonly timesStored: ReadonlyMap<string, number>;
  readonly objects: ReadonlyMap<string, Buffer>;
}

/** @param isReady awaited before an object is taken */
export async function startCountingStore(
  port: number,
  aeTitle = "VIEWER",
  isReady: () => Promise<void> = async () => undefined,
): Promise<CountingStore> {
  const timesStored = new Map<string, number>();
  const objects = new Map<string, Buffer>();
  const headers = new Map<string, DataSet>();

  const store: StoreHandler = async ({ sopInstanceUid, transferSyntaxUid }) => {
    const chunks: Buffer[] = [];
    await isReady();
    return {
      write: (chunk) => void chunks.push(Buffer.from(chunk)),
      async close() {
        const bytes = Buffer.concat(chunks);
        timesStored.set(sopInstanceUid, (timesStored.get(sopInstanceUid) ?? 0) + 1);
        objects.set(sopInstanceUid, bytes);
        headers.set(sopInstanceUid, parseDataSet(bytes, transferSyntaxUid, { stopBefore: tags.InstanceNumber }));
        return 0x0000;
      },
      async abort() {},
    };
  };

  async function* find(identifier: DataSet): AsyncGenerator<DataSet> {
    const level = uidOf(identifier, tags.QueryRetrieveLevel);
    const keys = [tags.StudyInstanceUID, tags.SeriesInstanceUID, tags.SOPInstanceUID] as const;
    const answered = new Set<string>();
    for (const header of headers.values()) {
      const matches = keys.every((key) => (uidOf(identifier, key) ?? uidOf(header, key)) === uidOf(header, key));
      const shown = level === "SERIES" ? keys.slice(0, 2) : keys;
      const answer = shown.map((key) => uidOf(header, key) ?? "").join("\\");
      if (!matches || answered.has(answer)) continue;
      answered.add(answer);
      yield dataSetOf([
        textElement(tags.QueryRetrieveLevel, level ?? "IMAGE"),
        ...shown.map((key) => textElement(key, uidOf(header, key) ?? "")),
      ]);
    }
  }

  const server: DimseServer = await startDimseServer({
    host: "127.0.0.1",
    port,
    aeTitle: parseAeTitle(aeTitle),
    handlers: { store, find },
  });
  return {
    address: `${aeTitle}@127.0.0.1:${server.port}`,
    timesStored,
    objects,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
