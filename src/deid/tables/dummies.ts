/** Dummy values by VR: they say nothing of what they replace. Dates are those of a time before imaging. */
export const DUMMIES: Readonly<Record<string, string>> = {
  PN: "Anonymous",
  LO: "ANONYMIZED",
  SH: "ANONYMIZED",
  UC: "ANONYMIZED",
  ST: "Anonymized",
  LT: "Anonymized",
  UT: "Anonymized",
  CS: "ANON",
  AE: "ANON",
  UR: "urn:anonymized",
  AS: "000Y",
  DA: "19000101",
  DT: "19000101000000",
  TM: "000000",
  IS: "0",
  DS: "0",
};

/** Bytes of a dummy binary value: zero. */
export const DUMMY_BYTES: Readonly<Record<string, number>> = {
  US: 2,
  SS: 2,
  UL: 4,
  SL: 4,
  AT: 4,
  FL: 4,
  FD: 8,
  UV: 8,
  SV: 8,
  OB: 2,
  OW: 2,
  UN: 2,
  OF: 4,
  OL: 4,
  OD: 8,
  OV: 8,
};

/** The coded entry that stands for a removed one of Type 1. */
export const DUMMY_CODE = { value: "ANON", scheme: "99RADFERRY", meaning: "Anonymized" } as const;

/** Sequences of people, institutions and observers: a required one is replaced by one dummy coded entry. */
export const CODED_IDENTITY_SEQUENCES: ReadonlySet<number> = new Set([0x00080082, 0x00401101]);

/** What stands in dummy items besides dummies of their VRs: nothing that depends on an object. PS3.3 10.8, C.10.5, C.10.10, C.17.3. */
export const DUMMY_ITEM_TEXTS: ReadonlyMap<number, string> = new Map([
  [0x00081150, "1.2.840.10008.3.1.2.3.3"], // Modality Performed Procedure Step. PS3.4 F.7
  [0x0040a010, "CONTAINS"],
  [0x0040a040, "TEXT"],
  [0x00700002, "LAYER_1"],
  [0x00700005, "DISPLAY"],
  [0x00700023, "POINT"],
]);

/** Likewise, as words: the first channel group, all of its channels; one point of two dimensions. */
export const DUMMY_ITEM_WORDS: ReadonlyMap<number, readonly number[]> = new Map([
  [0x0040a0b0, [1, 0]],
  [0x00700020, [2]],
  [0x00700021, [1]],
]);
