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
