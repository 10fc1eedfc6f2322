import { describe, expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, sequenceElement, textOf } from "../../dicom/values.ts";
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
const ACCESSION_NUMBER = 0x00080050;
const ANATOMIC_REGION_SEQUENCE = 0x00082218;
const INSTITUTION_ADDRESS = 0x00080081;
const OTHER_PATIENT_IDS_SEQUENCE = 0x00101002;
const PATIENT_ADDRESS = 0x00101040;
const STATION_NAME = 0x00081010;
const STUDY_INSTANCE_UID = 0x0020000d;
const STUDY_ID = 0x00200010;
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
    ["of six digits", stated(PATIENT_ID, "LO", "445566"), stated(SERIES_NUMBER, "IS", "445566"), "id"],
    [
      "of six digits, with decimals",
      stated(PATIENT_ID, "LO", "MRN0445566"),
      stated(TABLE_HEIGHT, "DS", "445566.0"),
      "id",
    ],
    ["with an exponent", stated(PATIENT_ID, "LO", "7234561"), stated(TABLE_HEIGHT, "DS", "7.234561E6"), "id"],
    [
      "of a birth date",
      stated(PATIENT_BIRTH_DATE, "DA", "19510223"),
      stated(ACQUISITION_NUMBER, "IS", "19510223"),
      "birth-date",
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

it.each([
  ["123", "CHEST lung 120 kV"],
  ["120", "CHEST 123 lung kV"],
  ["999", "CHEST 123 lung 120 kV"],
])("drops a number of three digits that is the patient's: %s", async (patientId, left) => {
  const description = stated(SERIES_DESCRIPTION, "LO", "CHEST 123 lung 120 kV");
  const { dataSet } = await outcomeOf(stated(PATIENT_ID, "LO", patientId), description);
  expect(textOf(dataSet, tagOf(SERIES_DESCRIPTION))).toBe(left);
});

it.each([
  ["4455667", "C4455667", "UMLS"],
  ["445566", "C445566", "NCIt"],
  ["445566", "445566", "DCM"],
])("finds the patient's number %s as the code %s of %s", async (patientId, value, scheme) => {
  const entry = dataSetOf([text(0x00080100, value), text(0x00080102, scheme), text(0x00080104, "Lung")]);
  const changes = [stated(PATIENT_ID, "LO", patientId), sequenceElement(tagOf(ANATOMIC_REGION_SEQUENCE), [entry])];
  expect((await outcomeOf(...changes)).reason).toBe("IDENTIFIER_FOUND id in (0008,2218)/(0008,0100)");
});

it("drops a name with a number behind it", async () => {
  const { dataSet } = await outcomeOf(
    stated(PATIENT_NAME, "PN", "Hand^Arm"),
    stated(SERIES_DESCRIPTION, "LO", "CHEST HAND01 Hand2"),
  );
  expect(textOf(dataSet, tagOf(SERIES_DESCRIPTION))).toBe("CHEST");
});

describe("a station that an option keeps does not name the patient", () => {
  const utf8 = (tag: number, vr: Vr, value: string): DataElement => {
    const bytes = Buffer.from(value, "utf8");
    return element(tagOf(tag), vr, bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(" ")]));
  };
  it.each([
    ["in Arabic digits", "CT ٧٢٣٤٥٦١ B", "id"],
    ["in digits of Devanagari", "CT ७२३४५६१ B", "id"],
    ["in letters of Cyrillic", "СТ Вrаndуbuсk", "name"],
    ["in Greek capitals", "CT ΒRΑΝDΥBUCΚ", "name"],
  ])("%s", async (_, station, kind) => {
    const changes = [
      stated(0x00080005, "CS", "ISO_IR 192"),
      stated(PATIENT_ID, "LO", "HOSP-07234561"),
      utf8(STATION_NAME, "SH", station),
    ];
    const { outcome } = await deidentifyObject(ctImage(changes), profileWith(["retain-device-identity"]));
    expect(outcome).toMatchObject({ code: "IDENTIFIER_FOUND", reason: `${kind} in (0008,1010)` });
  });

  it("that the source has in Arabic digits", async () => {
    const changes = [
      stated(0x00080005, "CS", "ISO_IR 192"),
      utf8(PATIENT_ID, "LO", "٧٢٣٤٥٦١"),
      stated(STATION_NAME, "SH", "CT 7234561 B"),
    ];
    const { outcome } = await deidentifyObject(ctImage(changes), profileWith(["retain-device-identity"]));
    expect(outcome).toMatchObject({ code: "IDENTIFIER_FOUND", reason: "id in (0008,1010)" });
  });
});

describe("what an option keeps of a device or an institution holds nothing of the patient's", () => {
  const OPTIONS = ["retain-device-identity", "retain-institution-identity"] as const;
  const LONG_NAME = [
    "Al-Khwarizmi bin Abdullah bin Saud^Mohammed Abdulrahman Ibrahim^Abdulaziz Abdulmalik",
    "Al-Khwarizmi bin Abdullah bin Saud^Mohammed",
    "Alkhwarazmi^Muhamad",
  ].join("=");

  it.each([
    ["the last way of writing a long name", stated(PATIENT_NAME, "PN", LONG_NAME), "CT Muhamad", "name"],
    ["a family name of two words in one", stated(PATIENT_NAME, "PN", "Van Li^Bo"), "CT VANLI", "name"],
    ["a number without its letters", stated(PATIENT_ID, "LO", "MRN445566"), "CT 445566", "id"],
    ["a shorter one", stated(PATIENT_ID, "LO", "MRN44556"), "CT 44556", "id"],
  ])("%s stops the object", async (_, told, station, kind) => {
    const changes = [told, stated(STATION_NAME, "SH", station)];
    const { outcome } = await deidentifyObject(ctImage(changes), profileWith(OPTIONS));
    expect(outcome).toMatchObject({ code: "IDENTIFIER_FOUND", reason: `${kind} in (0008,1010)` });
  });

  it.each([
    ["the address", stated(PATIENT_ADDRESS, "LO", "12 Bagshot Row, Hobbiton"), "12 Bagshot Row, Hobbiton"],
    ["a line of it", stated(PATIENT_ADDRESS, "LO", "12 Bagshot Row, Hobbiton"), "12 bagshot row"],
    [
      "another, short number",
      sequenceElement(tagOf(OTHER_PATIENT_IDS_SEQUENCE), [dataSetOf([stated(PATIENT_ID, "LO", "4711")])]),
      "Room 4711",
    ],
  ])("%s goes", async (_, told, institutionAddress) => {
    const changes = [told, stated(INSTITUTION_ADDRESS, "ST", institutionAddress)];
    const { outcome, dataSet } = await deidentifyObject(ctImage(changes), profileWith(OPTIONS));
    expect(outcome.kind).toBe("deidentified");
    expect(textOf(dataSet, tagOf(INSTITUTION_ADDRESS))).toBeUndefined();
  });
});

describe("a UID that an option keeps", () => {
  const outcomeFor = async (studyInstanceUid: string, ...others: readonly DataElement[]): Promise<InstanceOutcome> => {
    const stating = [
      stated(PATIENT_ID, "LO", "HOSP-07234561"),
      stated(DEVICE_SERIAL_NUMBER, "LO", "99887766"),
      stated(STUDY_ID, "SH", "20240229"),
      text(STUDY_INSTANCE_UID, studyInstanceUid),
    ];
    const changed = new Set(others.map(({ tag }) => tag));
    const changes = [...stating.filter(({ tag }) => !changed.has(tag)), ...others];
    return (await deidentifyObject(ctImage(changes), profileWith(["retain-uids"]))).outcome;
  };

  it.each([
    ["as a component", "1.2.826.0.1.3680043.9.7234561.1"],
    ["at the end of one", "1.2.826.0.1.3680043.9.20240007234561.1"],
    ["at the beginning of one", "1.2.826.0.1.3680043.9.7234561101500.1"],
    ["behind the day", "1.2.826.0.1.3680043.9.202402290007234561001.1"],
  ])("holds the patient's number %s", async (_, uid) => {
    expect(await outcomeFor(uid)).toMatchObject({ reason: "id in (0020,000D)" });
  });

  it("holds a longer accession number anywhere, and a shorter one as a component", async () => {
    const accession = (number: string) => stated(ACCESSION_NUMBER, "SH", number);
    expect(await outcomeFor("1.2.826.0.1.3680043.9.31.4488776655.1", accession("48877665"))).toMatchObject({
      reason: "id in (0020,000D)",
    });
    expect(await outcomeFor("1.2.826.0.1.3680043.9.31.48877.1", accession("48877"))).toMatchObject({
      reason: "id in (0020,000D)",
    });
  });

  it("holds the birthday before a count", async () => {
    expect(await outcomeFor("1.2.826.0.1.3680043.9.193107040001.1")).toMatchObject({
      reason: "birth-date in (0020,000D)",
    });
  });

  it.each([
    ["seven digits by chance amid others", "1.2.826.0.1.3680043.9.9172345619.1"],
    ["the device's own number", "1.3.12.2.1107.99887766.1"],
    ["the day, though a study is called by it", "1.3.12.2.1107.5.20240229101559250.1"],
    ["random numbers", "2.25.296485376857516184849951143044513877282"],
  ])("may hold %s", async (_, uid) => {
    expect(await outcomeFor(uid)).toMatchObject({ kind: "deidentified" });
  });
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
