import type { DataElement } from "../../src/dicom/data-set.ts";
import { vrOf } from "../../src/dicom/dictionary/dictionary.ts";
import { ELEMENT_LINES } from "../../src/dicom/dictionary/elements.generated.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../../src/dicom/dictionary/transfer-syntaxes.ts";
import { tagOf } from "../../src/dicom/tag.ts";
import { dataSetOf, element, sequenceElement, textElement } from "../../src/dicom/values.ts";
import type { Vr } from "../../src/dicom/vr.ts";
import { encodeDataSet } from "../../src/dicom/writer.ts";
import { type Action, build, evened, type Fields, foreign, gone, unasked } from "./fields.ts";
import type { Scene } from "./scene.ts";
import { FOREIGN_SETS } from "./tokens.ts";

/** More of an object: its elements stand in for those of the same tags. */
export interface Hidden {
  readonly elements: readonly DataElement[];
  readonly actions: readonly Action[];
  readonly meta?: readonly DataElement[];
  readonly preamble?: Uint8Array;
  /** Behind the pixels, within their element. */
  readonly behindPixels?: Uint8Array;
}

export type HidingPlace = (scene: Scene, index: number, taken: ReadonlySet<number>) => Hidden;

function text(tag: number, value: string, vr: Vr = vrOf(tagOf(tag))): DataElement {
  return element(tagOf(tag), vr, evened(Buffer.from(value, "latin1")));
}

/** Each of a tag of its own, a word in each. */
function inElements(elements: readonly (readonly [element: DataElement, token: string])[]): Hidden {
  return {
    elements: elements.map(([one]) => one),
    actions: elements.map(([{ tag }, token]) => ({ category: "text removed", path: [{ tag }], words: [token] })),
  };
}

/** People and places deep within sequences that are kept, and in those that are not. */
const nested: HidingPlace = ({ tokens }) => {
  const person = (): Fields => ({
    PatientName: gone(tokens.word("nested sequence")),
    PatientID: gone(tokens.word("nested sequence")),
    InstitutionName: gone(tokens.word("nested sequence")),
    PatientComments: gone(tokens.word("nested sequence")),
  });
  const deep = (depth: number): Fields =>
    depth === 0
      ? person()
      : { PatientName: gone(tokens.word("nested sequence")), UsedSegmentsSequence: [deep(depth - 1)] };
  const built = build({
    AnatomicRegionSequence: [
      {
        CodeValue: "39607008",
        CodingSchemeDesignator: "SCT",
        CodeMeaning: gone(tokens.word("nested sequence")),
        ...person(),
      },
    ],
    OriginalAttributesSequence: [
      { ModifiedAttributesSequence: [person()], SourceOfPreviousValues: gone(tokens.word("nested sequence")) },
    ],
    OtherPatientIDsSequence: [person()],
    ProcedureCodeSequence: [
      {
        CodeValue: unasked("P1"),
        CodingSchemeDesignator: unasked("99LOCAL"),
        CodeMeaning: gone(tokens.word("nested sequence")),
      },
    ],
    UsedSegmentsSequence: [deep(9)],
  });
  return built;
};

/** A creator nobody knows, a creator that is a name, data without a creator, and safe elements among others. PS3.15 E.3.10. */
const privateBlock: HidingPlace = ({ tokens }) => {
  const word = (): string => tokens.word("private block");
  const creator = word();
  const inner = build({ PatientName: gone(word()), PatientAddress: gone(word()) });
  const planted: (readonly [DataElement, string])[] = [
    [text(0x00290010, creator, "LO"), creator],
    ...([0x00291001, 0x00291002, 0x00191009, 0x00310101] as const).map((tag) => {
      const token = word();
      return [text(tag, token, "LO"), token] as const;
    }),
    ...([0x00291010, 0x00291020] as const).map((tag) => {
      const token = word();
      return [element(tagOf(tag), "OB", Buffer.from(`SV10\x04\x03\x02\x01${token}`)), token] as const;
    }),
  ];
  const safe = [
    text(0x00190010, "SIEMENS MR HEADER", "LO"),
    text(0x0019100c, "1000", "IS"),
    text(0x70530011, "Philips PET Private Group", "LO"),
    text(0x70531100, "0.000551", "DS"),
  ];
  const hidden = inElements(planted);
  return {
    elements: [...hidden.elements, ...safe, sequenceElement(tagOf(0x00291030), [dataSetOf(inner.elements)])],
    actions: [
      ...hidden.actions,
      { category: "text retained", path: [{ tag: tagOf(0x0019000c), creator: "SIEMENS MR HEADER" }], words: ["1000"] },
      {
        category: "text retained",
        path: [{ tag: tagOf(0x70530000), creator: "Philips PET Private Group" }],
        words: ["0.000551"],
      },
    ],
  };
};

/** Standard attributes as UN, alone and within a sequence as UN, and attributes whose VR is not what they say. PS3.5 6.2.2. */
const otherVr: HidingPlace = ({ tokens }) => {
  const word = (): string => tokens.word("UN or other VR");
  const items = dataSetOf([
    sequenceElement(tagOf(0x00081140), [dataSetOf(build({ PatientName: gone(word()) }).elements)]),
  ]);
  const encoded = Buffer.from(encodeDataSet(items, IMPLICIT_VR_LITTLE_ENDIAN));
  const [comments, history, thickness, sequence, size] = [word(), word(), word(), word(), word()];
  const rest: readonly (readonly [DataElement, string])[] = [
    [text(0x00104000, comments, "UN"), comments],
    [text(0x001021b0, history, "UN"), history],
    [text(0x00189074, thickness, "LO"), thickness],
    [text(0x00189461, sequence, "UT"), sequence],
    [text(0x00181271, size, "SH"), size],
  ];
  const hidden = inElements(rest);
  // Tag and length of the sequence are not part of its value. PS3.5 7.1.3.
  return { ...hidden, elements: [...hidden.elements, element(tagOf(0x00081140), "UN", encoded.subarray(8))] };
};

/** Names as they are written elsewhere. PS3.3 C.12.1.1.2. */
const otherCharacterSet: HidingPlace = ({ tokens }, index) => {
  const set = FOREIGN_SETS[index % FOREIGN_SETS.length] ?? "ISO_IR 100";
  const keywords = [
    "OtherPatientNames",
    "PatientComments",
    "PatientBirthName",
    "PatientAddress",
    "CurrentPatientLocation",
  ];
  const built = build(Object.fromEntries(keywords.map((keyword) => [keyword, foreign(tokens.foreign(set))])));
  return { ...built, elements: [...built.elements, textElement(tagOf(0x00080005), set)] };
};

/** Behind the end of a text that is kept. */
const padding: HidingPlace = ({ tokens }) => {
  const hidden: readonly (readonly [tag: number, kept: string])[] = [
    [0x00181411, "412.5"],
    [0x00180015, "CHEST"],
    [0x00200012, "7"],
    [0x00080070, "SIEMENS"],
    [0x00181210, "B70f"],
  ];
  const made = hidden.map(([tag, kept]) => ({ tag: tagOf(tag), kept, token: tokens.word("padding") }));
  return {
    elements: made.map(({ tag, kept, token }) => text(tag, `${kept}\0${token}`)),
    actions: made.flatMap(({ tag, kept, token }): Action[] => [
      { category: "text removed", path: [{ tag }], words: [token] },
      { category: "text retained", path: [{ tag }], words: [kept] },
    ]),
  };
};

/** PS3.10 7.1: whoever wrote or sent the file, and what they have to say. */
const preambleAndMeta: HidingPlace = ({ tokens }) => {
  const word = (): string => tokens.word("preamble and meta");
  const preamble = Buffer.alloc(128);
  preamble.write(`II*\0${word()}`, "latin1");
  return {
    elements: [],
    actions: [],
    preamble,
    meta: [
      text(0x00020016, word()),
      text(0x00020017, word()),
      text(0x00020018, word()),
      text(0x00020100, tokens.uid()),
      element(tagOf(0x00020102), "OB", Buffer.from(word())),
    ],
  };
};

const overlays: HidingPlace = ({ tokens }) => {
  const word = (): string => tokens.word("overlay, curve, icon");
  const [data, comments, label, description, curve, name] = [word(), word(), word(), word(), word(), word()];
  const hidden = inElements([
    [text(0x60000022, description, "LO"), description],
    [text(0x60001500, label, "LO"), label],
    [element(tagOf(0x60003000), "OW", Buffer.concat([Buffer.from(data), Buffer.alloc(54)])), data],
    [text(0x60004000, comments, "LT"), comments],
    [text(0x50000022, name, "LO"), name],
    [element(tagOf(0x50003000), "OW", Buffer.from(curve)), curve],
  ]);
  const icon = word();
  const icons = build({
    IconImageSequence: [{ SamplesPerPixel: 1, Rows: 2, Columns: 5, PixelData: gone(icon) }],
  });
  return {
    elements: [
      ...hidden.elements,
      element(tagOf(0x60000010), "US", Buffer.of(16, 0)),
      element(tagOf(0x60000011), "US", Buffer.of(32, 0)),
      text(0x60000040, "G", "CS"),
      element(tagOf(0x60000050), "SS", Buffer.of(1, 0, 1, 0)),
      element(tagOf(0x60000100), "US", Buffer.of(1, 0)),
      element(tagOf(0x60000102), "US", Buffer.of(0, 0)),
      ...icons.elements,
    ],
    actions: [...hidden.actions, ...icons.actions.filter(({ category }) => category === "text removed")],
  };
};

const behindTheData: HidingPlace = ({ tokens }) => {
  const trailing = tokens.word("behind the data");
  const pixels = tokens.word("behind the data");
  return {
    ...inElements([
      [element(tagOf(0xfffcfffc), "OB", Buffer.concat([Buffer.alloc(16), Buffer.from(trailing)])), trailing],
    ]),
    behindPixels: Buffer.from(pixels),
  };
};

/** Every text attribute of the registry, some at a time, where the object has none of that tag. */
const ofTheRegistry: HidingPlace = ({ tokens }, index, taken) => {
  const tags = textAttributes();
  const turn = Array.from({ length: AT_A_TIME }, (_, step) => tags[(index * AT_A_TIME + step) % tags.length] ?? 0);
  return inElements(
    turn
      .filter((tag) => !taken.has(tag))
      .map((tag) => {
        const token = tokens.word("any text attribute");
        return [text(tag, token), token] as const;
      }),
  );
};

const AT_A_TIME = 48;
const TEXT_VRS = new Set(["LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"]);
/** Before it are commands, file meta and directories. */
const FIRST_GROUP = 0x0008;
let textTags: readonly number[] | undefined;

function textAttributes(): readonly number[] {
  textTags ??= ELEMENT_LINES.split("\n").flatMap((line) => {
    const [pattern = "", , vr = ""] = line.split(" ");
    const tag = /^[0-9A-F]{8}$/.test(pattern) ? Number.parseInt(pattern, 16) : 0;
    return tag >>> 16 >= FIRST_GROUP && TEXT_VRS.has(vr) && !isPartOfCode(tag) ? [tag] : [];
  });
  return textTags;
}

function isPartOfCode(tag: number): boolean {
  return tag >= 0x00080100 && tag <= 0x00080124;
}

/** Each object has some of these, in turn. */
export const HIDING_PLACES: readonly HidingPlace[] = [
  nested,
  privateBlock,
  otherVr,
  otherCharacterSet,
  padding,
  preambleAndMeta,
  overlays,
  behindTheData,
  ofTheRegistry,
];
