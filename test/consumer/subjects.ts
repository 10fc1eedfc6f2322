import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { openAcquisitions, UPS_OF_TASK } from "radferry/acquisition";
import { openArchive } from "radferry/archive";
import {
  createDeidentifier,
  deidentifyFolder,
  explainAttribute,
  loadProfile,
  loadProfileDocument,
  loadProjectKey,
  previewDeidentification,
} from "radferry/deid";
import { createFolderDestination, type Receipt } from "radferry/delivery";
import {
  bytesSource,
  type DataSet,
  dataSetOf,
  parseStudyInstanceUid,
  readPart10,
  readPart10File,
  tagOf,
  textElement,
  textOf,
  toDicomJson,
  uidOf,
  writeDataSet,
  writePart10,
} from "radferry/dicom";
import { openHttpClient, retrieveDicomWeb, searchDicomWeb, storeDicomWeb } from "radferry/dicomweb";
import {
  type OutgoingInstance,
  openAssociation,
  parseAeTitle,
  parseDicomAddress,
  startDimseServer,
} from "radferry/dimse";
import { answer } from "./refusals.ts";

const { FILE = "", FOLDER = "", KEY = "", WEB = "" } = process.env;
const signal = AbortSignal.timeout(60_000);
const TAGS = {
  study: tagOf(0x0020000d),
  series: tagOf(0x0020000e),
  instance: tagOf(0x00080018),
  class: tagOf(0x00080016),
};

// DICOM: a file is read, shown as JSON, and written back as it was.
const { dataSet, meta, transferSyntaxUid, source } = await readPart10File(FILE);
const uid = (tag: keyof typeof TAGS): string => uidOf(dataSet, TAGS[tag]) ?? "";
const pieces: Uint8Array[] = [];
await writePart10(
  { write: (chunk) => void pieces.push(Buffer.from(chunk)) },
  { meta, dataSet, transferSyntaxUid, source },
);
const again = await readPart10(bytesSource(Buffer.concat(pieces)));
const json = toDicomJson(dataSet);

// DIMSE: an archive of this one object, and somebody who asks it.
const body: Uint8Array[] = [];
await writeDataSet({ write: (chunk) => void body.push(Buffer.from(chunk)) }, dataSet, transferSyntaxUid, source);
const held: OutgoingInstance = {
  sopClassUid: uid("class"),
  sopInstanceUid: uid("instance"),
  transferSyntaxUid,
  async *open() {
    yield* body;
  },
};
async function* find(identifier: DataSet): AsyncGenerator<DataSet> {
  const keys = [...identifier.keys()].flatMap((tag) => dataSet.get(tag) ?? []);
  const level = textOf(identifier, tagOf(0x00080052)) ?? "STUDY";
  yield dataSetOf([...keys, textElement(tagOf(0x00080052), level, "CS")]);
}
const aeTitle = parseAeTitle("ARCHIVE");
const handlers = { find, select: async () => [held] };
await using server = await startDimseServer({ host: "127.0.0.1", port: 0, aeTitle, handlers });
const address = `ARCHIVE@127.0.0.1:${server.port}`;
await using association = await openAssociation({
  address: parseDicomAddress(address),
  callingAeTitle: parseAeTitle("CONSUMER"),
  contexts: [{ abstractSyntaxUid: "1.2.840.10008.1.1", transferSyntaxUids: ["1.2.840.10008.1.2"] }],
});
await association.echo();

// Archives: found and retrieved into a folder.
const storage = { folder: join(FOLDER, "retrieved") };
await using archive = await openArchive({ endpoint: { kind: "dimse", address }, storage });
const verdicts: string[] = [];
for await (const study of archive.find({ StudyInstanceUID: uid("study") })) {
  verdicts.push((await archive.retrieve(study)).verdict);
}

// DICOMweb: searched, retrieved and stored.
await using client = openHttpClient({ baseUrl: WEB });
const scope = { level: "STUDY", matching: [], including: [], maximumAnswers: 10 } as const;
let found = 0;
for await (const match of searchDicomWeb(client, scope, signal))
  found += textOf(match, TAGS.study) === uid("study") ? 1 : 0;
const studyInstanceUid = parseStudyInstanceUid(uid("study"));
let receivedBytes = 0;
for await (const instance of retrieveDicomWeb(client, { studyInstanceUid }, {}, signal))
  for await (const piece of instance.body) receivedBytes += piece.length;
const outgoing = {
  sopInstanceUid: uid("instance"),
  read: async function* () {
    yield* pieces;
  },
};
const stored = await storeDicomWeb(client, [outgoing], { studyInstanceUid }, signal);

// De-identification and delivery: one object, then a folder.
const [profile, key] = [loadProfile("research"), await loadProjectKey(KEY)];
const filters = { ...profile.filters };
const outputPath = join(FOLDER, "out.dcm");
const task = { path: FILE, outputPath, participantId: "P-1", seriesInstanceCount: 1 };
const outcome = await createDeidentifier({ profile, key, filters }).instance(task, signal);
if (outcome.kind !== "deidentified") throw new Error(JSON.stringify(outcome));
const { file } = outcome;
const path = join(FOLDER, "research");
await mkdir(path);
await using destination = await createFolderDestination({ name: "research", path });
const delivery = {
  project: "trial",
  pseudonym: file.pseudonym,
  studyInstanceUid: file.studyInstanceUid,
  files: [file],
  report: {},
};
await destination.send(delivery, [file], signal);
const receipt: Receipt = {
  destination: destination.name,
  instances: (await destination.held(delivery, signal)).size,
  proof: destination.proof,
  confirmedAtMs: 0,
};
await destination.conclude(delivery, receipt, signal);
const preview = await previewDeidentification({ path: FILE, profile, key, signal });
const folderTask = { profile, key, input: storage.folder, output: join(FOLDER, "cleaned"), project: "trial", signal };
const result = await deidentifyFolder({ ...folderTask, threads: 0 });

// A measurement on a research scanner.
const lake = join(FOLDER, "lake");
await using acquisitions = await openAcquisitions({ home: join(FOLDER, "home"), lake });
const scan = await acquisitions.store.addScanTask(
  {
    id: randomUUID(),
    workflowId: undefined,
    deviceId: undefined,
    isTemplate: false,
    status: "NEW",
    progress: 0,
    fields: JSON.stringify({ name: "scan", task_type: "ACQUISITION" }),
    creator: "consumer",
    wantedAtMs: undefined,
  },
  0,
);
const deviceId = randomUUID();
const claimed = await acquisitions.ledger.claim({ taskId: scan.id, deviceId, isTriggered: false });
await acquisitions.ledger.progressed(claimed, 50);
const bytes = Uint8Array.from(Buffer.concat(pieces));
const sha256 = createHash("sha256").update(bytes).digest("hex");
const begun = await acquisitions.uploads.begin(claimed, {
  fileName: "scan.dcm",
  sizeBytes: bytes.length,
  sha256,
  parameter: undefined,
  isLast: true,
});
if (begun.kind !== "receive") throw new Error("nothing was sent before");
await begun.upload.write(bytes);
const published = await begun.upload.finish();
const { status } = await acquisitions.exams.task(scan.id);

answer({
  dicom: { isSame: again.dataSet.size === dataSet.size, attributes: Object.keys(json).length === dataSet.size },
  archive: { verdicts, folders: (await readdir(storage.folder)).length },
  dicomweb: { found, receivedBytes: receivedBytes > 0, stored: stored.stored.length },
  deid: {
    pseudonym: file.pseudonym,
    preview: preview.outcome,
    delivered: result.instances.delivered,
    explained: typeof explainAttribute(loadProfileDocument("research"), "PatientName"),
  },
  delivery: receipt,
  acquisition: { isSame: published.sha256 === sha256, status: UPS_OF_TASK[status] },
});
