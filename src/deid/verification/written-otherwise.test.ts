import { describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { element, textOf } from "../../dicom/values.ts";
import type { Vr } from "../../dicom/vr.ts";
import type { InstanceOutcome } from "../outcome.ts";
import { loadProfile } from "../profiles/load-profile.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, text } from "../testing/objects.ts";

const PATIENT_NAME = 0x00100010;
const PATIENT_ID = 0x00100020;
const PATIENT_BIRTH_DATE = 0x00100030;
const PATIENT_TELEPHONE_NUMBERS = 0x00102154;
const STUDY_DATE = 0x00080020;
const SERIES_NUMBER = 0x00200011;
const ACQUISITION_NUMBER = 0x00200012;
const TABLE_HEIGHT = 0x00181130;
const MANUFACTURER_MODEL_NAME = 0x00081090;
const DEVICE_SERIAL_NUMBER = 0x00181000;
const SERIES_DESCRIPTION = 0x0008103e;

function stated(tag: number, vr: Vr, value: string): DataElement {
  return element(tagOf(tag), vr, Buffer.from(value.length % 2 === 0 ? value : `${value} `, "latin1"));
}

async function outcomeOf(...changes: readonly DataElement[]) {
  const { outcome, dataSet } = await deidentifyObject(ctImage(changes), loadProfile("research"));
  const reason = outcome.kind === "rejected" ? `${outcome.code} ${outcome.reason}` : outcome.kind;
  return { reason, dataSet };
}

describe("a number that stays is not an identifier in other digits", () => {
  it.each([
    ["without leading zeros", stated(PATIENT_ID, "LO", "007234561"), stated(ACQUISITION_NUMBER, "IS", "7234561"), "id"],
    ["with leading zeros", stated(PATIENT_ID, "LO", "7234561"), stated(ACQUISITION_NUMBER, "IS", "007234561"), "id"],
    ["without its letters", stated(PATIENT_ID, "LO", "HOSP-7234561A"), stated(SERIES_NUMBER, "IS", "7234561"), "id"],
    ["with an exponent", stated(PATIENT_ID, "LO", "7234561"), stated(TABLE_HEIGHT, "DS", "7.234561E6"), "id"],
    [
      "of a birth date",
      stated(PATIENT_BIRTH_DATE, "DA", "19510223"),
      stated(ACQUISITION_NUMBER, "IS", "19510223"),
      "date",
    ],
    ["of a date that is moved", stated(STUDY_DATE, "DA", "20240315"), stated(SERIES_NUMBER, "IS", "20240315"), "date"],
    [
      "of a telephone",
      stated(PATIENT_TELEPHONE_NUMBERS, "SH", "+44 207 946 0123"),
      stated(TABLE_HEIGHT, "DS", "442079460123"),
      "phone",
    ],
  ])("%s", async (_, original, kept, kind) => {
    const { reason } = await outcomeOf(original, kept);
    expect(reason).toMatch(new RegExp(`^IDENTIFIER_FOUND ${kind} in `));
  });
});

describe("a name is a name whatever VR the file gives it", () => {
  it.each(["LO", "SH", "AE", "CS", "UI", "DS"] as const)("%s", async (vr) => {
    const { reason, dataSet } = await outcomeOf(
      stated(PATIENT_NAME, vr, "Carina^Bone"),
      stated(SERIES_DESCRIPTION, "LO", "CARINA CHEST"),
    );
    expect(reason).toBe("deidentified");
    expect(textOf(dataSet, tagOf(SERIES_DESCRIPTION))).toBe("CHEST");
  });

  it("and a number that is the patient's is found", async () => {
    const { reason } = await outcomeOf(stated(PATIENT_ID, "CS", "66554433"), stated(SERIES_NUMBER, "IS", "66554433"));
    expect(reason).toMatch(/^IDENTIFIER_FOUND id in /);
  });
});

it("drops a name with a number behind it", async () => {
  const { dataSet } = await outcomeOf(
    stated(PATIENT_NAME, "PN", "Hand^Arm"),
    stated(SERIES_DESCRIPTION, "LO", "CHEST HAND01 Hand2"),
  );
  expect(textOf(dataSet, tagOf(SERIES_DESCRIPTION))).toBe("CHEST");
});

it("finds an identifier that a UID was made of, where an option keeps the UID", async () => {
  const retaining = profileWith(["retain-uids"]);
  const outcomeFor = async (studyInstanceUid: string): Promise<InstanceOutcome> => {
    const patientId = stated(PATIENT_ID, "LO", "HOSP-07234561");
    const serialNumber = stated(DEVICE_SERIAL_NUMBER, "LO", "99887766");
    const studyUid = text(0x0020000d, studyInstanceUid);
    return (await deidentifyObject(ctImage([patientId, serialNumber, studyUid]), retaining)).outcome;
  };
  expect(await outcomeFor("1.2.826.0.1.3680043.9.7234561.1")).toMatchObject({ reason: "id in (0020,000D)" });
  for (const sound of ["1.2.826.0.1.3680043.9.17234561.1", "1.3.12.2.1107.99887766.20240229.1"])
    expect(await outcomeFor(sound)).toMatchObject({ kind: "deidentified" });
});

it("finds an identifier that stands within words of a device", async () => {
  const { reason } = await outcomeOf(
    stated(PATIENT_ID, "LO", "12345678"),
    stated(MANUFACTURER_MODEL_NAME, "LO", "123-45-678"),
  );
  expect(reason).toMatch(/^IDENTIFIER_FOUND id in \(0008,1090\)/);
  const { reason: named } = await outcomeOf(
    stated(PATIENT_NAME, "PN", "Philip^Toma"),
    stated(MANUFACTURER_MODEL_NAME, "LO", "PHILIPS"),
  );
  expect(named).toBe("deidentified");
});
