import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUid } from "../../dicom/uid.ts";
import { projectKeyOf } from "./project-key.ts";
import { createPseudonymizer } from "./pseudonymizer.ts";

const SECRET = Buffer.alloc(32, 1);
const one = createPseudonymizer(projectKeyOf(SECRET));
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
    expect(one.uid("")).toBe("");
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
    const prefixed = createPseudonymizer(projectKeyOf(SECRET), { prefix: "NM-" });
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
