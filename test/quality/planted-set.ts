import type { DataElement, DataSet } from "../../src/dicom/data-set.ts";
import { tags } from "../../src/dicom/dictionary/tags.ts";
import { EXPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { bytesSource } from "../../src/dicom/reader.ts";
import { dataSetOf, element } from "../../src/dicom/values.ts";
import { fileMetaOf, writePart10 } from "../../src/dicom/writer.ts";
import { DOCUMENTS } from "./documents.ts";
import { ENHANCED } from "./enhanced.ts";
import { type Action, build } from "./fields.ts";
import { HIDING_PLACES, type Hidden } from "./hiding-places.ts";
import { BANNER, IMAGES } from "./images.ts";
import { PROJECTIONS } from "./projections.ts";
import { RADIOTHERAPY } from "./radiotherapy.ts";
import type { Modality, Scene } from "./scene.ts";
import { createTokenSearch } from "./token-search.ts";
import { createTokens, type Token, type Tokens } from "./tokens.ts";
import { createPatient, createVisit, type Visit, visitFields } from "./visit.ts";

export interface PlantedFile {
  /** Says nothing of whom it is of. */
  readonly name: string;
  readonly modality: string;
  /** Whose it is, and which one. */
  readonly place: {
    readonly patientId: string;
    readonly studyInstanceUid: string;
    readonly seriesInstanceUid: string;
    readonly sopInstanceUid: string;
  };
  readonly bytes: Buffer;
  readonly actions: readonly Action[];
}

export interface PlantedSet {
  readonly files: readonly PlantedFile[];
  readonly tokens: readonly Token[];
}

export const MODALITIES: readonly Modality[] = [...IMAGES, ...PROJECTIONS, ...ENHANCED, ...RADIOTHERAPY, ...DOCUMENTS];

/** What a patient comes for; the first image is the one the others refer to. */
const VISITS: readonly (readonly string[])[] = [
  ["CT", "CT", "PT", "SEG", "SR", "RTSTRUCT", "RTPLAN", "RTDOSE", "REG", "RWV"],
  ["MR", "MR", "EMR", "MRS", "PR", "KO", "SEG", "SR"],
  ["DX", "CR", "MG", "IO", "PX", "XA", "RF", "PR", "KO"],
  ["ECT", "EPT", "NM", "US", "SC", "ECG", "PDF", "CT JPEG", "SR"],
];

export interface SetPlan {
  /** All identifiers follow from it. */
  readonly seed: number;
  readonly patients: number;
  readonly visitsPerPatient: number;
}

const HIDING_PLACES_PER_FILE = 3;
/** Words of the blackened rectangle have to differ from it. */
const INK = 255;
const BANNERED = new Set(["US", "SC", "XA", "RF"]);

/** Studies of several patients, with identifiers in every place where they hide. The same seed gives the same bytes. */
export async function plantedSet({ seed, patients, visitsPerPatient }: SetPlan): Promise<PlantedSet> {
  const tokens = createTokens(seed);
  const files: PlantedFile[] = [];
  for (let person = 0; person < patients; person += 1) {
    const patient = createPatient(tokens);
    for (let number = 0; number < visitsPerPatient; number += 1) {
      const kinds = VISITS[(person + number) % VISITS.length] ?? [];
      files.push(...(await study(tokens, createVisit(tokens, patient), kinds, files.length)));
    }
  }
  // A word that its object had no place for is none of the set's.
  const search = createTokenSearch(tokens.all);
  const planted = new Set(files.flatMap(({ bytes }) => [...search.foundIn(bytes)]));
  return { files, tokens: tokens.all.filter((token) => planted.has(token)) };
}

async function study(tokens: Tokens, visit: Visit, kinds: readonly string[], from: number): Promise<PlantedFile[]> {
  const modalities = kinds.flatMap((kind) => MODALITIES.find(({ name }) => name === kind) ?? []);
  const sopInstanceUids = modalities.map(() => tokens.uid());
  const imageSeriesInstanceUid = tokens.uid();
  const image = { sopClassUid: modalities[0]?.sopClassUid ?? "", sopInstanceUid: sopInstanceUids[0] ?? "" };
  const files: PlantedFile[] = [];
  for (const [index, modality] of modalities.entries()) {
    const scene: Scene = {
      tokens,
      studyInstanceUid: visit.studyInstanceUid,
      frameOfReferenceUid: visit.frameOfReferenceUid,
      seriesInstanceUid: modality.name === kinds[0] ? imageSeriesInstanceUid : tokens.uid(),
      sopInstanceUid: sopInstanceUids[index] ?? "",
      date: visit.date,
      instanceNumber: index + 1,
      image,
      imageSeriesInstanceUid,
    };
    files.push(await plantedFile(visit, scene, modality, from + index));
  }
  return files;
}

/** An object of the kind with the visit's identifiers, and more of them in some of the hiding places. */
async function plantedFile(visit: Visit, scene: Scene, modality: Modality, index: number): Promise<PlantedFile> {
  const own = build({ ...visitFields(visit, scene, modality), ...modality.fields(scene) });
  const taken = new Set<number>(own.elements.map(({ tag }) => tag));
  const hidden = Array.from({ length: HIDING_PLACES_PER_FILE }, (_, turn): Hidden => {
    const number = index * HIDING_PLACES_PER_FILE + turn;
    const place = HIDING_PLACES[number % HIDING_PLACES.length];
    const found = place?.(scene, Math.floor(number / HIDING_PLACES.length), taken) ?? NOTHING;
    for (const { tag } of found.elements) taken.add(tag);
    return found;
  });
  const more = hidden.flatMap(({ elements }) => elements);
  const replaced = new Set(more.map(({ tag }) => tag));
  const kept = own.elements.filter(({ tag }) => !replaced.has(tag));
  const isOwn = ({ path }: Action): boolean => path[0] === undefined || !replaced.has(path[0].tag);
  const frame = modality.compressed?.frame(scene);
  const isBannered = BANNERED.has(modality.name);
  const surplus = Buffer.concat(hidden.map(({ behindPixels }) => behindPixels ?? Buffer.alloc(0)));
  const elements = [...kept, ...more].map((one) =>
    one.tag === tags.PixelData ? withPixels(one, isBannered, surplus) : one,
  );
  const actions = [...own.actions.filter(isOwn), ...hidden.flatMap((one) => one.actions)];
  return {
    name: `${String(index).padStart(4, "0")}.dcm`,
    modality: modality.name,
    place: {
      patientId: visit.patient.id,
      studyInstanceUid: visit.studyInstanceUid,
      seriesInstanceUid: scene.seriesInstanceUid,
      sopInstanceUid: scene.sopInstanceUid,
    },
    bytes: await fileOf(modality, scene.sopInstanceUid, dataSetOf(elements), hidden, frame),
    actions: actions.flatMap((action) => pixelActions(action, isBannered, frame)),
  };
}

const NOTHING: Hidden = { elements: [], actions: [] };

function withPixels(pixelData: DataElement, isBannered: boolean, surplus: Uint8Array): DataElement {
  if (pixelData.value.kind !== "bytes") return pixelData;
  const bytes = Buffer.from(pixelData.value.bytes);
  if (isBannered) {
    // As ink is: here and there.
    const end = BANNER.imageColumns * BANNER.height;
    for (let at = 0; at < end; at += 1) bytes[at] = at % 3 === 0 ? INK : 0;
  }
  return element(pixelData.tag, pixelData.vr, Buffer.concat([bytes, surplus]));
}

function pixelActions(action: Action, isBannered: boolean, frame: Uint8Array | undefined): readonly Action[] {
  if (action.category !== "pixels retained" || action.path[0]?.tag !== tags.PixelData) return [action];
  if (frame !== undefined) return [{ ...action, bytes: frame }];
  if (!isBannered) return [action];
  return [
    { ...action, except: BANNER },
    { category: "pixels hidden", path: action.path, rectangle: BANNER },
  ];
}

async function fileOf(
  modality: Modality,
  sopInstanceUid: string,
  dataSet: DataSet,
  hidden: readonly Hidden[],
  frame: Uint8Array | undefined,
): Promise<Buffer> {
  const transferSyntaxUid = modality.compressed?.transferSyntaxUid ?? EXPLICIT_VR_LITTLE_ENDIAN;
  const { sopClassUid } = modality;
  const meta = fileMetaOf({ sopClassUid, sopInstanceUid, transferSyntaxUid });
  const chunks: Uint8Array[] = [];
  await writePart10(
    { write: (chunk) => void chunks.push(Buffer.from(chunk)) },
    {
      meta: dataSetOf([...meta.values(), ...hidden.flatMap((one) => one.meta ?? [])]),
      dataSet: frame === undefined ? dataSet : withFrame(dataSet, frame),
      transferSyntaxUid,
      source: bytesSource(frame ?? new Uint8Array()),
      preamble: hidden.find(({ preamble }) => preamble !== undefined)?.preamble,
    },
  );
  return Buffer.concat(chunks);
}

/** An empty basic offset table and one fragment. PS3.5 A.4. */
function withFrame(dataSet: DataSet, frame: Uint8Array): DataSet {
  const fragments = [
    { offset: 0, length: 0 },
    { offset: 0, length: frame.length },
  ];
  const pixels: DataElement = {
    tag: tags.PixelData,
    vr: "OB",
    value: { kind: "fragments", fragments },
    undefinedLength: true,
  };
  return new Map([...dataSet, [tags.PixelData, pixels]]);
}
