import { deflateRawSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { memoryStore } from "../../../test/peers/memory-archive.ts";
import { parseAeTitle } from "../../dicom/ae-title.ts";
import type { DataSet } from "../../dicom/data-set.ts";
import { storageSopClasses } from "../../dicom/dictionary/sop-classes.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  transferSyntaxes,
} from "../../dicom/dictionary/transfer-syntaxes.ts";
import {
  parseSeriesInstanceUid,
  parseSopInstanceUid,
  parseStudyInstanceUid,
  type SopInstanceUid,
} from "../../dicom/uid.ts";
import { dataSetOf, textElement, textsOf } from "../../dicom/values.ts";
import { encodeDataSet } from "../../dicom/writer.ts";
import { startDimseServer } from "../../network/dimse/server.ts";
import type { OutgoingInstance, StoreHandler } from "../../network/dimse/service-types.ts";
import { systemClock } from "../../units/clock.ts";
import { silentLogger } from "../../units/logger.ts";
import type { RetrieveOutcome, RetrieveRequest } from "../archive.ts";
import { createExpectations } from "../expectations.ts";
import { createDimseArchive } from "./dimse-archive.ts";
import { getOverGroups } from "./get-passes.ts";

const study = parseStudyInstanceUid("1.2.3");
const series = parseSeriesInstanceUid("1.2.3.4");
const archiveTitle = parseAeTitle("ARCHIVE");
const classes = Object.values(storageSopClasses);
const signal = new AbortController().signal;

const AS_THEY_ARE = new Set([IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN, DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN]);

/** A tiny object; encapsulated syntaxes are explicit VR little endian outside the pixels, of which it has none. */
function objectOf(sopClassUid: string, transferSyntaxUid: string): OutgoingInstance {
  const number = `${classes.indexOf(sopClassUid as (typeof classes)[number])}`;
  const sopInstanceUid = `1.2.3.4.1${number}.${[...transferSyntaxes.keys()].indexOf(transferSyntaxUid)}`;
  const dataSet = dataSetOf([
    textElement(tags.SOPClassUID, sopClassUid, "UI"),
    textElement(tags.SOPInstanceUID, sopInstanceUid, "UI"),
  ]);
  return {
    sopClassUid,
    sopInstanceUid,
    transferSyntaxUid,
    async *open() {
      yield encoded(dataSet, transferSyntaxUid);
    },
  };
}

function encoded(dataSet: DataSet, syntax: string): Uint8Array {
  if (syntax === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN) {
    return deflateRawSync(encodeDataSet(dataSet, EXPLICIT_VR_LITTLE_ENDIAN));
  }
  return encodeDataSet(dataSet, AS_THEY_ARE.has(syntax) ? syntax : EXPLICIT_VR_LITTLE_ENDIAN);
}

function inEverySyntax(sopClassUids: readonly string[]): readonly OutgoingInstance[] {
  return sopClassUids.flatMap((uid) => [...transferSyntaxes.keys()].map((syntax) => objectOf(uid, syntax)));
}

/** An archive that sends what it holds as it holds it, or not at all. Writes down how many instances each C-GET asked for. */
async function startArchive(objects: readonly OutgoingInstance[], store: StoreHandler) {
  const asked: number[] = [];
  const server = await startDimseServer({
    host: "127.0.0.1",
    port: 0,
    aeTitle: archiveTitle,
    handlers: {
      async select(identifier) {
        const uids = new Set(textsOf(identifier, tags.SOPInstanceUID));
        const selected = uids.size === 0 ? objects : objects.filter(({ sopInstanceUid }) => uids.has(sopInstanceUid));
        asked.push(selected.length);
        return selected;
      },
    },
  });
  const archive = createDimseArchive({
    name: "archive",
    address: { aeTitle: archiveTitle, host: "127.0.0.1", port: server.port },
    retrieve: "get",
    associations: 1,
    callingAeTitle: parseAeTitle("RADFERRY"),
    expectations: createExpectations(systemClock),
    store,
    quietMs: 100,
    silenceMs: 60_000,
    clock: systemClock,
    logger: silentLogger,
  });
  return { asked, archive, server };
}

/** Everything the archive holds, named one by one. */
function named(objects: readonly OutgoingInstance[], withClasses: boolean): RetrieveRequest {
  return {
    studyInstanceUid: study,
    sopClassUids: withClasses ? objects.map(({ sopClassUid }) => sopClassUid) : [],
    instances: objects.map(({ sopClassUid, sopInstanceUid }) => ({
      seriesInstanceUid: series,
      sopInstanceUid: parseSopInstanceUid(sopInstanceUid),
      sopClassUid: withClasses ? sopClassUid : undefined,
    })),
  };
}

describe("what needs more contexts than an association has", () => {
  it("comes over several, as a whole study: 3 classes in every syntax", async () => {
    const objects = inEverySyntax(classes.slice(0, 3));
    const { received, handler } = memoryStore();
    const { asked, archive, server } = await startArchive(objects, handler);
    await using _server = server;
    const request = { studyInstanceUid: study, sopClassUids: classes.slice(0, 3) };
    expect(await archive.retrieve(request, signal)).toEqual({ status: 0x0000, completed: objects.length, failed: 0 });
    expect(received.size).toBe(3 * transferSyntaxes.size);
    expect(asked).toEqual([objects.length, objects.length]);
  });

  it("comes over several, instance by instance, each asked for where it has a context: 7 classes in every syntax", async () => {
    const objects = inEverySyntax(classes.slice(0, 7));
    const { received, handler } = memoryStore();
    const { asked, archive, server } = await startArchive(objects, handler);
    await using _server = server;
    const outcome = await archive.retrieve(named(objects, true), signal);
    expect(outcome).toEqual({ status: 0x0000, completed: objects.length, failed: 0 });
    expect(received.size).toBe(objects.length);
    // 120 of 322 pairs fit the first association beside a context for each class; then two classes at a time.
    expect(asked.reduce((total, count) => total + count, 0)).toBe(objects.length + (objects.length - 120));
  });

  it("comes over several when its classes are not known: rare ones, and commonly compressed ones", async () => {
    const rare = classes.at(-1) ?? "";
    const objects = [
      objectOf(storageSopClasses.CTImageStorage, EXPLICIT_VR_LITTLE_ENDIAN),
      objectOf(storageSopClasses.MRImageStorage, "1.2.840.10008.1.2.4.90"),
      objectOf(rare, EXPLICIT_VR_LITTLE_ENDIAN),
    ];
    for (const request of [{ studyInstanceUid: study }, named(objects, false)]) {
      const { received, handler } = memoryStore();
      const { asked, archive, server } = await startArchive(objects, handler);
      await using _server = server;
      expect(await archive.retrieve(request, signal)).toMatchObject({ completed: 3, failed: 0 });
      expect(received.size).toBe(3);
      expect(asked).toHaveLength(3);
    }
  });

  it("is not asked for again when it was us who refused it", async () => {
    const objects = classes.slice(0, 3).map((uid) => objectOf(uid, EXPLICIT_VR_LITTLE_ENDIAN));
    const { handler } = memoryStore();
    const refused = objects[1]?.sopInstanceUid;
    const { asked, archive, server } = await startArchive(objects, async (instance, aborted) =>
      instance.sopInstanceUid === refused ? { refuse: 0xa700 } : handler(instance, aborted),
    );
    await using _server = server;
    const whole = { studyInstanceUid: study, sopClassUids: classes.slice(0, 3) };
    expect(await archive.retrieve(whole, signal)).toMatchObject({ completed: 2, failed: 1 });
    expect(asked).toEqual([3]);
    expect(await archive.retrieve(named(objects, true), signal)).toMatchObject({ completed: 2, failed: 1 });
    expect(asked).toEqual([3, 3]);
  });

  it("is not asked for again when the archive keeps it back without a word", async () => {
    const [kept, ...sent] = classes.slice(0, 3).map((uid) => objectOf(uid, EXPLICIT_VR_LITTLE_ENDIAN));
    if (kept === undefined) throw new Error("three objects");
    const { handler } = memoryStore();
    const { asked, archive, server } = await startArchive(sent, handler);
    await using _server = server;
    expect(await archive.retrieve(named([kept, ...sent], true), signal)).toMatchObject({ completed: 2, failed: 1 });
    expect(asked).toEqual([2]);
  });

  it("is asked for no further when the archive cannot be reached", async () => {
    const objects = inEverySyntax(classes.slice(0, 3));
    const { handler } = memoryStore();
    const { archive, server } = await startArchive(objects, handler);
    await server[Symbol.asyncDispose]();
    await expect(archive.retrieve(named(objects, true), signal)).rejects.toMatchObject({ code: "CONNECTION_FAILED" });
  });
});

describe("a query over several groups of contexts", () => {
  /** Each association brings so many instances more, and ends so; the last one goes on to the end. */
  async function outcomeOf(passes: readonly { readonly brings: number; readonly ends: RetrieveOutcome }[]) {
    const arrived = new Set<SopInstanceUid>();
    let asked = 0;
    const outcome = await getOverGroups([[], [], [], []], { arrived, refused: new Set() }, async () => {
      const { brings, ends } = passes[Math.min(asked, passes.length - 1)] ?? { brings: 0, ends: nothing };
      asked += 1;
      for (let count = 0; count < brings; count += 1) arrived.add(parseSopInstanceUid(`1.2.${arrived.size}`));
      return ends;
    });
    return { asked, outcome };
  }
  const nothing: RetrieveOutcome = { status: 0xa702, completed: 0, failed: 3 };

  it.each<readonly [string, Parameters<typeof outcomeOf>[0], number, RetrieveOutcome]>([
    [
      "ends when nothing has failed",
      [{ brings: 3, ends: { status: 0x0000, completed: 3, failed: 0 } }],
      1,
      { status: 0x0000, completed: 3, failed: 0 },
    ],
    [
      "ends when what had failed has come",
      [
        { brings: 1, ends: { status: 0xb000, completed: 1, failed: 2 } },
        { brings: 2, ends: { status: 0xb000, completed: 2, failed: 1 } },
      ],
      2,
      { status: 0x0000, completed: 3, failed: 0 },
    ],
    [
      "has failed for what came over none",
      [
        { brings: 1, ends: { status: 0xb000, completed: 1, failed: 2 } },
        { brings: 1, ends: { status: 0xb000, completed: 1, failed: 2 } },
        { brings: 0, ends: nothing },
      ],
      4,
      { status: 0xb000, completed: 2, failed: 1 },
    ],
    [
      "goes on where the first left some out beside those that failed",
      [
        { brings: 1, ends: { status: 0xb000, completed: 1, failed: 1, remaining: 5 } as RetrieveOutcome },
        { brings: 1, ends: { status: 0xb000, completed: 1, failed: 1 } },
        { brings: 0, ends: nothing },
      ],
      4,
      { status: 0xb000, completed: 2, failed: 1, remaining: 5 } as RetrieveOutcome,
    ],
    [
      "is never a success when the first was given up half-way",
      [
        { brings: 1, ends: { status: 0xc000, completed: 1, failed: 1 } },
        { brings: 1, ends: { status: 0x0000, completed: 1, failed: 0 } },
        { brings: 0, ends: nothing },
      ],
      4,
      { status: 0xc000, completed: 2, failed: 1 },
    ],
    [
      "is not repeated when it was refused as such",
      [{ brings: 0, ends: { status: 0xa900, completed: undefined, failed: undefined } }],
      1,
      { status: 0xa900, completed: undefined, failed: undefined },
    ],
  ])("%s", async (_, passes, asked, outcome) => {
    expect(await outcomeOf(passes)).toEqual({ asked, outcome });
  });
});
