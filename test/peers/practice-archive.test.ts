import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parseAeTitle, parseDicomAddress } from "../../src/dicom/ae-title.ts";
import { tagOfKeyword } from "../../src/dicom/dictionary/dictionary.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { dataSetOf, textElement, textOf } from "../../src/dicom/values.ts";
import { openAssociation } from "../../src/network/dimse/association.ts";
import { QUERY_RETRIEVE_SOP_CLASSES } from "../../src/network/dimse/service-classes.ts";
import { IDENTIFIER_TRANSFER_SYNTAXES, storageContextsForGet } from "../../src/network/dimse/storage-contexts.ts";
import { memoryStore } from "./memory-archive.ts";
import { startPracticeArchive } from "./practice-archive.ts";
import { INCOMPLETE_SEED, practiceStudies } from "./practice-studies.ts";
import { syntheticStudy } from "./synthetic-studies.ts";

const studies = [
  syntheticStudy({ seed: 1, modality: "CT", series: 2, instancesPerSeries: 3, accessionNumber: "00A1", rows: 8 }),
  syntheticStudy({ seed: 2, modality: "MR", series: 1, instancesPerSeries: 1, accessionNumber: "00A1", rows: 8 }),
  syntheticStudy({ seed: 3, modality: "DX", series: 1, instancesPerSeries: 1, accessionNumber: "00B2", rows: 8 }),
];

function associate(address: string) {
  const classes = QUERY_RETRIEVE_SOP_CLASSES["study-root"];
  const contexts = [classes.find, classes.get].map((abstractSyntaxUid) => ({
    abstractSyntaxUid,
    transferSyntaxUids: [...IDENTIFIER_TRANSFER_SYNTAXES],
  }));
  return openAssociation({
    address: parseDicomAddress(address),
    callingAeTitle: parseAeTitle("READER"),
    contexts: [...contexts, ...storageContextsForGet()],
  });
}

function identifierOf(keys: Readonly<Record<string, string>>) {
  return dataSetOf(
    Object.entries(keys).map(([keyword, text]) => textElement(tagOfKeyword(keyword) ?? tags.PatientID, text)),
  );
}

async function getStudy(address: string, studyInstanceUid: string) {
  await using association = await associate(address);
  const { received, handler } = memoryStore();
  const identifier = identifierOf({ QueryRetrieveLevel: "STUDY", StudyInstanceUID: studyInstanceUid });
  const { status } = await association.get({ model: "study-root", identifier }, handler);
  return { status, received };
}

it.each([
  ["a value", { QueryRetrieveLevel: "STUDY", AccessionNumber: "00A1" }, 2],
  ["a wildcard", { QueryRetrieveLevel: "STUDY", AccessionNumber: "00*" }, 3],
  ["one unknown letter", { QueryRetrieveLevel: "STUDY", AccessionNumber: "00?2" }, 1],
  ["nothing", { QueryRetrieveLevel: "STUDY", AccessionNumber: "" }, 3],
  ["a value that is not there", { QueryRetrieveLevel: "STUDY", AccessionNumber: "00C3" }, 0],
  [
    "a list of UIDs",
    {
      QueryRetrieveLevel: "STUDY",
      StudyInstanceUID: studies
        .slice(1)
        .map((one) => one.studyInstanceUid)
        .join("\\"),
    },
    2,
  ],
  [
    "a study, by series",
    { QueryRetrieveLevel: "SERIES", StudyInstanceUID: studies[0]?.studyInstanceUid ?? "", SeriesInstanceUID: "" },
    2,
  ],
  [
    "a study, by instance",
    { QueryRetrieveLevel: "IMAGE", StudyInstanceUID: studies[0]?.studyInstanceUid ?? "", SOPInstanceUID: "" },
    6,
  ],
])("answers a query for %s", async (_, keys, matches) => {
  await using archive = await startPracticeArchive({ studies });
  await using association = await associate(archive.address);
  const answers = [];
  for await (const answer of association.find({ model: "study-root", identifier: identifierOf(keys) }))
    answers.push(answer);
  expect(answers).toHaveLength(matches);
  expect(new Set(answers.map((answer) => textOf(answer, tags.QueryRetrieveLevel))).size).toBe(matches === 0 ? 0 : 1);
});

it("sends a study byte for byte", async () => {
  await using archive = await startPracticeArchive({ studies });
  const [study] = studies;
  const { status, received } = await getStudy(archive.address, study?.studyInstanceUid ?? "");
  expect(status).toBe(0x0000);
  expect(received).toEqual(new Map(study?.instances.map(({ sopInstanceUid, bytes }) => [sopInstanceUid, bytes])));
});

it("as a process of its own, leaves instances out the first time while it says success, and ends on SIGTERM", async () => {
  const program = fileURLToPath(new URL("./practice-archive-main.ts", import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "close");
  try {
    const [line] = await once(createInterface(child.stdout), "line");
    const { address } = JSON.parse(line);
    const { studyInstanceUid } = syntheticStudy({ seed: INCOMPLETE_SEED, modality: "CT" });
    const whole = practiceStudies().find((study) => study.studyInstanceUid === studyInstanceUid)?.instances.length ?? 0;

    const first = await getStudy(address, studyInstanceUid);
    const second = await getStudy(address, studyInstanceUid);

    expect([first.status, second.status]).toEqual([0x0000, 0x0000]);
    expect(first.received.size).toBe(whole - 4);
    expect(second.received.size).toBe(whole);
  } finally {
    child.kill("SIGTERM");
  }
  expect(await ended).toEqual([0, null]);
});
