import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storageSopClasses } from "../../src/dicom/dictionary/sop-classes.ts";
import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import type { CorpusObject } from "../peers/corpus.ts";
import { startDcmqrscp } from "../peers/dcmtk.ts";
import { startOrthanc } from "../peers/orthanc.ts";
import type { Peer } from "../peers/require-peer.ts";
import type { Site } from "./site.ts";

/** Study Instance UID to the SOP Instance UIDs that an archive holds of it. */
export type Holdings = ReadonlyMap<string, ReadonlySet<string>>;

export interface RealArchive extends AsyncDisposable {
  readonly address: string;
  /** Fills it, and says what it holds by its own account. */
  load(objects: readonly CorpusObject[], site: Site): Promise<Holdings>;
}

export interface RealArchiveKind {
  readonly program: Peer;
  /** It knows the AE title RADFERRY at this port as a move destination. */
  start(dicomPort: number): Promise<RealArchive>;
}

const AE_TITLE = "ARCHIVE";

/** Takes in, but has no presentation context for them when it sends: Orthanc 1.10 and dcmqrscp 3.6.7 are older than they are. */
const UNSENDABLE_SOP_CLASSES: ReadonlySet<string> = new Set([
  storageSopClasses.LabelMapSegmentationStorage,
  storageSopClasses.MicroscopyBulkSimpleAnnotationsStorage,
  storageSopClasses.ParametricMapStorage,
]);

export const REAL_ARCHIVES: readonly RealArchiveKind[] = [
  { program: "Orthanc", start: startLoadableOrthanc },
  { program: "dcmqrscp", start: startLoadableDcmqrscp },
];

/** High-throughput JPEG 2000, encapsulated uncompressed, deflated frames: likewise. */
const UNSENDABLE_BY_ORTHANC = new Set([
  "1.2.840.10008.1.2.4.201",
  "1.2.840.10008.1.2.4.202",
  "1.2.840.10008.1.2.4.203",
  "1.2.840.10008.1.2.1.98",
  "1.2.840.10008.1.2.8.1",
]);

async function startLoadableOrthanc(dicomPort: number): Promise<RealArchive> {
  const orthanc = await startOrthanc({
    aeTitle: AE_TITLE,
    moveDestinations: [{ aeTitle: "RADFERRY", port: dicomPort }],
  });
  const url = `http://127.0.0.1:${orthanc.httpPort}`;
  return {
    address: `${AE_TITLE}@127.0.0.1:${orthanc.port}`,
    async load(objects) {
      for (const { path, transferSyntaxUid, sopClassUid } of objects) {
        if (UNSENDABLE_BY_ORTHANC.has(transferSyntaxUid) || UNSENDABLE_SOP_CLASSES.has(sopClassUid)) continue;
        const { ok, status } = await fetch(`${url}/instances`, { method: "POST", body: await readFile(path) });
        if (!ok) throw new Error(`Orthanc refused ${path}: ${status}`);
      }
      return await holdingsOfOrthanc(url);
    },
    [Symbol.asyncDispose]: () => orthanc[Symbol.asyncDispose](),
  };
}

interface OrthancResource {
  readonly ID: string;
  readonly MainDicomTags: Readonly<Record<string, string>>;
}

/** Two of its studies may have one Study Instance UID: it tells patients apart as well. */
async function holdingsOfOrthanc(url: string): Promise<Holdings> {
  const read = async (path: string): Promise<unknown> => (await fetch(`${url}${path}`)).json();
  const holdings = new Map<string, Set<string>>();
  for (const study of (await read("/studies?expand")) as readonly OrthancResource[]) {
    const instances = (await read(`/studies/${study.ID}/instances`)) as readonly OrthancResource[];
    for (const instance of instances) {
      add(holdings, study.MainDicomTags.StudyInstanceUID, instance.MainDicomTags.SOPInstanceUID);
    }
  }
  const { CountInstances } = (await read("/statistics")) as { readonly CountInstances: number };
  const counted = [...holdings.values()].reduce((sum, instances) => sum + instances.size, 0);
  if (counted !== CountInstances) throw new Error(`Orthanc lists ${counted} instances and counts ${CountInstances}`);
  return holdings;
}

/** What dcmqrscp takes without a profile of its own. */
const UNCOMPRESSED = new Set([IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN]);

async function startLoadableDcmqrscp(dicomPort: number): Promise<RealArchive> {
  const storageDir = await mkdtemp(join(tmpdir(), "dcmqrscp-storage-"));
  const moveDestinations = [{ aeTitle: "RADFERRY", port: dicomPort }];
  const archive = await startDcmqrscp({ aeTitle: AE_TITLE, storageDir, moveDestinations });
  const address = `${AE_TITLE}@127.0.0.1:${archive.port}`;
  return {
    address,
    async load(objects, site) {
      const uncompressed = objects.filter(
        ({ transferSyntaxUid, sopClassUid }) =>
          UNCOMPRESSED.has(transferSyntaxUid) && !UNSENDABLE_SOP_CLASSES.has(sopClassUid),
      );
      const { document } = await site.run("dicom", "store", address, ...uncompressed.map(({ path }) => path));
      const { files } = document as { readonly files: readonly { readonly file: string; readonly ok: boolean }[] };
      const acknowledged = new Set(files.filter(({ ok }) => ok).map(({ file }) => file));
      const holdings = new Map<string, Set<string>>();
      for (const { path, studyInstanceUid, sopInstanceUid } of uncompressed) {
        if (acknowledged.has(path)) add(holdings, studyInstanceUid, sopInstanceUid);
      }
      return holdings;
    },
    async [Symbol.asyncDispose]() {
      await archive[Symbol.asyncDispose]();
      await rm(storageDir, { recursive: true, force: true });
    },
  };
}

function add(holdings: Map<string, Set<string>>, study: string | undefined, instance: string | undefined): void {
  if (study === undefined || instance === undefined) throw new Error("an archive lists something without its UID");
  holdings.set(study, (holdings.get(study) ?? new Set()).add(instance));
}
