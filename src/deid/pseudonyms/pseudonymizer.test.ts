import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUid } from "../../dicom/uid.ts";
import { USUAL_PSEUDONYMS } from "../profiles/profile.ts";
import { lookupTableOf } from "./lookup-table.ts";
import { pixlHash } from "./pixl-hash.ts";
import { projectKeyOf } from "./project-key.ts";
import { createPseudonymizer } from "./pseudonymizer.ts";

const SECRET = Buffer.alloc(32, 1);
const KEY = projectKeyOf(SECRET);
const one = createPseudonymizer(KEY);
const other = createPseudonymizer(projectKeyOf(Buffer.alloc(32, 2)));
const patient = { patientId: "MRN 00123", studyInstanceUid: "1.2.3" };

describe("uid", () => {
  it("is the first 128 bits of HMAC-SHA-256 in the 2.25 arc", () => {
    const digest = createHmac("sha256", SECRET)
      .update("radferry/v1/uid\0" + "1.2.3.4")
      .digest("hex");
    expect(one.uid("1.2.3.4")).toBe(`2.25.${BigInt(`0x${digest.slice(0, 32)}`)}`);
  });

  it("is a valid UID, the same every time, another for every input and project", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 2, maxLength: 6 }), (parts) => {
        const original = `1.3.${parts.join(".")}`;
        const replaced = one.uid(original);
        expect(isUid(replaced)).toBe(true);
        expect(one.uid(original)).toBe(replaced);
        expect(other.uid(original)).not.toBe(replaced);
        expect(one.uid(`${original}.1`)).not.toBe(replaced);
      }),
    );
  });

  it("leaves UIDs that DICOM registered, and nothing", () => {
    expect(one.uid("1.2.840.10008.1.2.1")).toBe("1.2.840.10008.1.2.1");
    expect(one.uid("1.2.840.10008.6.1.1031")).toBe("1.2.840.10008.6.1.1031");
    expect(one.uid("")).toBe("");
  });

  it("replaces what was made up below the root of DICOM", () => {
    for (const uid of ["1.2.840.10008.9.9.9.4455.667", "1.2.840.10008.5.1.4.1.1.2.1950", "1.2.840.10008.6.1.44556"])
      expect(one.uid(uid)).toMatch(/^2\.25\./);
  });
});

describe("patientPseudonym", () => {
  it("has 16 characters that survive being read aloud, and does not hang on padding", () => {
    expect(one.patientPseudonym(patient)).toMatch(/^[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(one.patientPseudonym({ ...patient, patientId: " MRN 00123 \0" })).toBe(one.patientPseudonym(patient));
    expect(other.patientPseudonym(patient)).not.toBe(one.patientPseudonym(patient));
  });

  it("is one for all studies of a patient, and one a study where there is no Patient ID", () => {
    expect(one.patientPseudonym({ ...patient, studyInstanceUid: "9.9" })).toBe(one.patientPseudonym(patient));
    const nameless = { patientId: "", studyInstanceUid: "1.2.3" };
    expect(one.patientPseudonym(nameless)).not.toBe(one.patientPseudonym({ ...nameless, studyInstanceUid: "1.2.4" }));
  });

  it("is the participant id where the cohort gives one", () => {
    expect(one.patientPseudonym({ ...patient, participantId: "P-017" })).toBe("P-017");
  });

  it("puts the project's prefix before what it makes", () => {
    const prefixed = createPseudonymizer(KEY, { prefix: "NM-" });
    expect(prefixed.patientPseudonym(patient)).toBe(`NM-${one.patientPseudonym(patient)}`);
  });

  it.each(["", "../etc", "a b", "x".repeat(65)])("refuses %j as a participant id", (participantId) => {
    expect(() => one.patientPseudonym({ ...patient, participantId })).toThrow(
      expect.objectContaining({ code: "PARTICIPANT_ID_INVALID" }),
    );
  });
});

it("moves a patient's dates into the past by 1 to 3650 days, the same for all studies", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (patientId) => {
      const days = one.dateShiftDays({ patientId, studyInstanceUid: "1.2" });
      expect(days).toBeLessThanOrEqual(-1);
      expect(days).toBeGreaterThanOrEqual(-3650);
    }),
  );
  expect(one.dateShiftDays({ ...patient, studyInstanceUid: "9.9" })).toBe(one.dateShiftDays(patient));
});

describe("settings", () => {
  it("tell patients of two issuers apart, where issuers are included", () => {
    const including = createPseudonymizer(KEY, { settings: { ...USUAL_PSEUDONYMS, issuer: "include" } });
    const north = { ...patient, issuer: "NORTH" };
    expect(including.patientPseudonym(north)).not.toBe(including.patientPseudonym({ ...patient, issuer: "SOUTH" }));
    expect(including.dateShiftDays(north)).not.toBe(including.dateShiftDays(patient));
    expect(including.patientPseudonym(patient)).toBe(one.patientPseudonym(north));
  });

  it("put the profile's prefix before the project's", () => {
    const prefixed = createPseudonymizer(KEY, { prefix: "A-", settings: { ...USUAL_PSEUDONYMS, prefix: "B-" } });
    expect(prefixed.patientPseudonym(patient)).toMatch(/^B-/);
  });

  it("move every patient of a project alike, where they say so", () => {
    const dateShift = { ...USUAL_PSEUDONYMS.dateShift, per: "project" as const };
    const constant = createPseudonymizer(KEY, { settings: { ...USUAL_PSEUDONYMS, dateShift } });
    const shifts = ["a", "b", "c"].map((patientId) => constant.dateShiftDays({ ...patient, patientId }));
    expect(new Set(shifts).size).toBe(1);
  });

  it.each([
    ["accession", 16],
    ["id", 16],
    ["device", 12],
  ] as const)("make keyed texts of %s with %d characters, nothing of nothing", (kind, characters) => {
    const pseudonyms = one.ofStudy(patient);
    const text = pseudonyms.identifier(kind, "X77 ");
    expect(text).toMatch(new RegExp(`^[0-9A-HJKMNP-TV-Z]{${characters}}$`));
    expect(pseudonyms.identifier(kind, "X77")).toBe(text);
    expect(other.ofStudy(patient).identifier(kind, "X77")).not.toBe(text);
    expect(pseudonyms.identifier(kind, " ")).toBe("");
  });

  it("share nothing between kinds of identifiers", () => {
    const { identifier, patient: pseudonym } = one.ofStudy({ ...patient, patientId: "X77" });
    const texts = [identifier("accession", "X77"), identifier("id", "X77"), pseudonym];
    expect(new Set(texts.map((text) => text.slice(0, 12))).add(identifier("device", "X77")).size).toBe(4);
  });
});

describe("lookup table", () => {
  const csv =
    "kind,original,replacement\npatient,MRN 00123,P-1\npatient,MRN 9,P-1\naccession,A1,X1\nstudy,1.2.3,2.25.77\n";
  const lookup = lookupTableOf(csv, { project: "lung", merge: true });
  const looking = createPseudonymizer(KEY, { lookup });

  it("wins over the key, loses to the cohort", () => {
    const pseudonyms = looking.ofStudy(patient);
    expect(pseudonyms).toMatchObject({ patient: "P-1", patientIsGiven: true });
    expect(pseudonyms.uid("1.2.3")).toBe("2.25.77");
    expect(pseudonyms.identifier("accession", "A1")).toBe("X1");
    expect(looking.ofStudy({ ...patient, participantId: "C-1" }).patient).toBe("C-1");
  });

  it("finds a study wherever another one refers to it", () => {
    expect(looking.ofStudy({ ...patient, studyInstanceUid: "9.9" }).uid("1.2.3")).toBe("2.25.77");
  });

  it("moves the dates of patients that become one alike", () => {
    expect(looking.dateShiftDays({ ...patient, patientId: "MRN 9" })).toBe(looking.dateShiftDays(patient));
    expect(one.dateShiftDays({ ...patient, patientId: "MRN 9" })).not.toBe(one.dateShiftDays(patient));
  });

  it("leaves the others to the key, unless a row is required", () => {
    const stranger = { ...patient, patientId: "MRN 8" };
    expect(looking.ofStudy(stranger)).toMatchObject({ patient: one.patientPseudonym(stranger), patientIsGiven: false });
    const required = createPseudonymizer(KEY, { lookup, settings: { ...USUAL_PSEUDONYMS, lookup: "required" } });
    expect(required.ofStudy(patient).patient).toBe("P-1");
    const missing = (kind: string) => expect.objectContaining({ code: "LOOKUP_ROW_MISSING", details: { kind } });
    expect(() => required.ofStudy(stranger)).toThrow(missing("patient"));
    expect(() => required.ofStudy({ ...patient, studyInstanceUid: "9.9" })).toThrow(missing("study"));
    expect(() => required.ofStudy(patient).identifier("accession", "A2")).toThrow(missing("accession"));
  });

  it("is asked for where the settings require one", () => {
    const settings = { ...USUAL_PSEUDONYMS, lookup: "required" as const };
    const error = expect.objectContaining({ code: "PSEUDONYM_SOURCE_MISSING", details: { what: "lookup-table" } });
    expect(() => createPseudonymizer(KEY, { settings })).toThrow(error);
  });
});

describe("as PIXL does it", () => {
  const pixl = { hashKey: "test-key", projectSalt: "a161577b49a9235a", localSalt: "pixl_salt" };
  const hashing = createPseudonymizer(KEY, { pixl });
  const study = { ...patient, accessionNumber: "ACC 1" };

  it("hashes the Patient ID; the cohort's participant id wins", () => {
    expect(hashing.patientPseudonym({ ...patient, patientId: "test" })).toBe(pixlHash(pixl, "test", 64));
    expect(hashing.patientPseudonym({ ...patient, participantId: "P-1" })).toBe("P-1");
  });

  it("makes one study of all with the same patient and accession number, and of no others", () => {
    const uidOf = (changes: Partial<typeof study>) => {
      const identity = { ...study, ...changes };
      return hashing.ofStudy(identity).uid(identity.studyInstanceUid);
    };
    const shared = uidOf({});
    expect(isUid(shared)).toBe(true);
    expect(uidOf({ studyInstanceUid: "9.9" })).toBe(shared);
    expect(uidOf({ patientId: "other" })).not.toBe(shared);
    expect(uidOf({ accessionNumber: "ACC 2" })).not.toBe(shared);
    expect(uidOf({ accessionNumber: "" })).toBe(one.uid("1.2.3"));
    expect(hashing.ofStudy(study).uid("1.2.3.4")).toBe(one.uid("1.2.3.4"));
  });

  it("needs the secrets where the profile says so", () => {
    const settings = { ...USUAL_PSEUDONYMS, mode: "pixl" as const };
    const error = expect.objectContaining({ code: "PSEUDONYM_SOURCE_MISSING", details: { what: "pixl-secrets" } });
    expect(() => createPseudonymizer(KEY, { settings })).toThrow(error);
  });
});
