import { expect, it } from "vitest";
import type { DataElement } from "../../dicom/data-set.ts";
import { tags } from "../../dicom/dictionary/tags.ts";
import { tagOf } from "../../dicom/tag.ts";
import { dataSetOf, element, itemsOf, sequenceElement, textOf, uidOf } from "../../dicom/values.ts";
import type { OptionName } from "../profiles/options.ts";
import { deidentifyObject, profileWith } from "../testing/deidentify.ts";
import { ctImage, SOP_CLASSES, text } from "../testing/objects.ts";

async function outputOf(options: readonly OptionName[], ...changes: Parameters<typeof ctImage>[0] & {}) {
  const { outcome, dataSet } = await deidentifyObject(ctImage(changes), profileWith(options));
  expect(outcome.kind === "rejected" ? outcome.reason : "").toBe("");
  return dataSet;
}

it("full dates stay as they are where they are dates, but for the birth date, and the object says so", async () => {
  const output = await outputOf(
    ["retain-longitudinal-full-dates"],
    text(0x00080023, "20240230"),
    text(0x0008002a, "20240229101500.25+0100"),
    text(0x00080033, "Brandybuck"),
  );
  expect(textOf(output, tags.StudyDate)).toBe("20240229");
  expect(textOf(output, tags.AcquisitionTime)).toBe("101559.250");
  expect(textOf(output, tagOf(0x0008002a))).toBe("20240229101500.25+0100");
  // No such day, and no time at all: as the basic profile does.
  expect(textOf(output, tagOf(0x00080023))).not.toBe("20240230");
  expect(textOf(output, tagOf(0x00080033))).not.toBe("Brandybuck");
  expect(textOf(output, tags.PatientBirthDate)).toBeUndefined();
  expect(textOf(output, tags.LongitudinalTemporalInformationModified)).toBe("UNMODIFIED");
  const codes = itemsOf(output, tags.DeidentificationMethodCodeSequence);
  expect(codes.map((item) => textOf(item.dataSet, tagOf(0x00080100)))).toEqual(["113100", "113106"]);
});

it("without a dates option they are gone, and the object says so", async () => {
  const output = await outputOf([]);
  expect(textOf(output, tags.StudyDate)).toBeUndefined();
  expect(textOf(output, tags.LongitudinalTemporalInformationModified)).toBe("REMOVED");
});

it("devices stay known with retain-device-identity, AE titles do not", async () => {
  const output = await outputOf(
    ["retain-device-identity"],
    text(0x00081010, "CT  SCANNER\u00df 2"),
    text(0x00080055, "BRANDYBUCK"),
  );
  expect(textOf(output, tags.DeviceSerialNumber)).toBe("SN-778123");
  expect(textOf(output, tagOf(0x00081010))).toBe("CT SCANNER\u00df 2");
  expect(textOf(output, tags.SpecificCharacterSet)).toBe("ISO_IR 192");
  expect(textOf(output, tagOf(0x00080055))).toBeUndefined();
  expect(output.has(tags.InstitutionName)).toBe(false);
});

it("institutions stay known with retain-institution-identity, in UTF-8 whatever they were written in", async () => {
  const output = await outputOf(
    ["retain-institution-identity"],
    text(0x00080005, "ISO_IR 100"),
    element(tags.InstitutionName, "LO", Buffer.from("H\u00f4pital  G\u00e9n\u00e9ral\0of Brandybuck", "latin1")),
  );
  expect(textOf(output, tags.InstitutionName)).toBe("H\u00f4pital G\u00e9n\u00e9ral");
  expect(textOf(output, tags.SpecificCharacterSet)).toBe("ISO_IR 192");
  expect(output.has(tags.DeviceSerialNumber)).toBe(false);
});

it("a retained text with control characters, or that is none of its character set, goes", async () => {
  for (const [characterSet, bytes] of [
    ["ISO_IR 192", Buffer.of(0x41, 0xff, 0xfe, 0x42)],
    ["ISO_IR 100", Buffer.from("Saint\u0007Elsewhere ")],
  ] as const) {
    const name = element(tags.InstitutionName, "LO", bytes);
    const output = await outputOf(["retain-institution-identity"], text(0x00080005, characterSet), name);
    expect(textOf(output, tags.InstitutionName)).toBeUndefined();
    expect(output.has(tags.SpecificCharacterSet)).toBe(false);
  }
});

it.each([
  ["more values than PS3.6 has room for", tags.InstitutionName, "Saint Elsewhere\\Third Ward", "Saint Elsewhere"],
  ["line ends in a text of one line", tags.InstitutionName, "Saint\r\nElsewhere", undefined],
  ["more characters than its VR has room for", tags.InstitutionName, "Saint Elsewhere ".repeat(5), undefined],
  ["line ends in an address, which has lines", tagOf(0x00080081), "12 Mill Lane\r\nSmial", "12 Mill Lane\r\nSmial"],
])("a retained text with %s", async (_name, tag, written, expected) => {
  expect(textOf(await outputOf(["retain-institution-identity"], text(tag, written)), tag)).toBe(expected);
});

it("a patient's name in what is retained stops the object", async () => {
  const changes = ctImage([text(0x00080080, "Brandybuck Infirmary")]);
  const { outcome } = await deidentifyObject(changes, profileWith(["retain-institution-identity"]));
  expect(outcome).toMatchObject({ kind: "rejected", code: "IDENTIFIER_FOUND" });
});

it("a birth date in what is retained stops the object, though the dates of the study stay", async () => {
  const options = ["retain-longitudinal-full-dates", "retain-device-identity", "retain-uids"] as const;
  const outcomeOf = async (...changes: readonly DataElement[]) => {
    const { outcome } = await deidentifyObject(ctImage(changes), profileWith(options));
    return outcome.kind === "rejected" ? outcome.reason : outcome.kind;
  };
  expect(await outcomeOf(text(0x00081010, "BOX 04.07.1931"))).toBe("birth-date in (0008,1010)");
  expect(await outcomeOf(text(0x00200011, "19310704"))).toBe("birth-date in (0020,0011)");
  expect(await outcomeOf(text(0x0020000d, "1.2.826.0.1.3680043.9.19310704.1"))).toBe("birth-date in (0020,000D)");
  const made = [text(0x00081010, "BOX 2024-02-29"), text(0x0020000d, "1.2.826.0.1.3680043.9.20240229.1")];
  expect(await outcomeOf(...made)).toBe("deidentified");
  const newborn = text(0x00100030, "20240229");
  expect(await outcomeOf(newborn, ...made)).toBe("deidentified");
});

it("a birth date in the place of another date stops the object, unless it is the day of the study", async () => {
  const full = profileWith(["retain-longitudinal-full-dates"]);
  const outcomeOf = async (...changes: readonly DataElement[]) =>
    (await deidentifyObject(ctImage(changes), full)).outcome;
  for (const written of ["19310704", "1931.07.04", "19310704-19310801"])
    expect(await outcomeOf(text(0x00080022, written))).toMatchObject({
      kind: "rejected",
      reason: "birth-date (0008,0022)",
    });
  expect(await outcomeOf(text(0x0008002a, "19310704101500"))).toMatchObject({ reason: "birth-date (0008,002A)" });
  const newborn = [text(0x00100030, "20240229"), text(0x00080022, "20240229")];
  expect(await outcomeOf(...newborn)).toMatchObject({ kind: "deidentified" });
});

it.each([
  ["Patient ID", "4711", "4711"],
  ["Patient ID, otherwise spelt", "47 11", "47-11"],
  ["Patient ID of one letter", "Q", "q"],
  ["Patient's Name", "LI^BO", "Li Bo"],
  ["a part of Patient's Name", "NG^AN=\u5433^\u5b89", "ng"],
])("no option keeps what is %s and nothing else, however short", async (name, patient, station) => {
  const options = [
    ...["retain-device-identity", "retain-institution-identity", "clean-descriptors"],
    "retain-patient-characteristics",
  ] as const;
  const tag = name.includes("Name") ? 0x00100010 : 0x00100020;
  const source = ctImage([
    ...[text(0x00080005, "ISO_IR 192"), text(tag, patient)],
    ...[text(0x00081010, station), text(0x00080080, station), text(0x00081030, station), text(0x00181030, station)],
  ]);
  const { outcome, dataSet } = await deidentifyObject(source, profileWith(options));
  expect(outcome.kind).toBe("deidentified");
  for (const each of [0x00081010, 0x00080080, 0x00081030, 0x00181030])
    expect([undefined, "ANONYMIZED"]).toContain(textOf(dataSet, tagOf(each)));
});

it.each([
  ["LI^BO", "4455667", "CT Li's room"],
  ["NG^AN=\u5433^\u5b89", "4455667", "ward-NG-2"],
  ["Brandybuck^Meriadoc", "4711", "Room 4711"],
])("no option keeps a text with a short name or number as a word: %s, %s, %s", async (name, number, named) => {
  const options = ["retain-device-identity", "retain-institution-identity"] as const;
  const kept = async (value: string) => {
    const source = ctImage([
      ...[text(0x00080005, "ISO_IR 192"), text(0x00100010, name), text(0x00100020, number)],
      ...[text(0x00081010, value), text(0x00080080, value)],
    ]);
    const { outcome, dataSet } = await deidentifyObject(source, profileWith(options));
    expect(outcome.kind).toBe("deidentified");
    return [0x00081010, 0x00080080].map((tag) => textOf(dataSet, tagOf(tag)));
  };
  expect(await kept(named)).toEqual([undefined, undefined]);
  expect(await kept("LINAC 47110")).toEqual(["LINAC 47110", "LINAC 47110"]);
});

it("UIDs of the table stay with retain-uids, and the file says the same of itself", async () => {
  const { outcome, dataSet } = await deidentifyObject(ctImage(), profileWith(["retain-uids"]));
  expect(uidOf(dataSet, tags.StudyInstanceUID)).toBe("1.2.826.0.1.3680043.9.7.1");
  expect(outcome).toMatchObject({ kind: "deidentified", file: { sopInstanceUid: "1.2.826.0.1.3680043.9.7.3.1" } });
});

it("UIDs stay as the field writes them, with a leading zero; a number without a dot is none", async () => {
  const reference = (uid: string) =>
    sequenceElement(tagOf(0x00081140), [dataSetOf([text(0x00081150, SOP_CLASSES.ct), text(0x00081155, uid)])]);
  for (const [uid, kept] of [
    ["1.2.826.0.1.3680043.9.07.1", true],
    ["44556677", false],
  ] as const) {
    const output = await outputOf(["retain-uids"], reference(uid));
    const [item] = itemsOf(output, tagOf(0x00081140)).map(({ dataSet }) => dataSet);
    expect(textOf(item ?? new Map(), tagOf(0x00081155)) === uid).toBe(kept);
  }
});

it.each([
  ["SOP Instance UID", 0x00080018, "(0008,0018)"],
  ["Study Instance UID", 0x0020000d, "(0020,000D)"],
  ["Series Instance UID", 0x0020000e, "(0020,000E)"],
])("a malformed %s cannot stay, and is named anew where UIDs are", async (_, tag, place) => {
  for (const malformed of ["1.2.826.0.1.BRANDYBUCK", "1.2..3", "44556677"]) {
    const source = ctImage([text(tag, malformed)]);
    expect((await deidentifyObject(source, profileWith(["retain-uids"]))).outcome).toEqual({
      kind: "rejected",
      code: "INSTANCE_NOT_PARSABLE",
      reason: `uid-malformed ${place}`,
    });
    expect((await deidentifyObject(source, profileWith([]))).outcome).toMatchObject({ kind: "deidentified" });
  }
});

it("an ethics committee is named beside its approval's number alone: both go, or one stays with a dummy", async () => {
  const committee = [text(0x00120081, "Brandy Hall Board"), text(0x00120082, "BHB-2024-0117")];
  const namesOf = async (...options: readonly OptionName[]) => {
    const output = await outputOf(options, ...committee);
    return [0x00120081, 0x00120082].map((tag) => textOf(output, tagOf(tag)));
  };
  expect(await namesOf()).toEqual([undefined, undefined]);
  expect(await namesOf("retain-institution-identity")).toEqual(["Brandy Hall Board", "ANONYMIZED"]);
  // A name without a number came that way, and has a dummy as any other.
  expect(textOf(await outputOf([], text(0x00120081, "Brandy Hall Board")), tagOf(0x00120081))).toBe("ANONYMIZED");
});

it("the body mass index goes and stays with size and weight, which it tells", async () => {
  const measures = [text(0x00101022, "31.7"), text(0x00101020, "1.72"), text(0x00101023, "310.5")];
  const told = (output: Awaited<ReturnType<typeof outputOf>>) =>
    [0x00101020, 0x00101022, 0x00101030, 0x00101023].map((tag) => textOf(output, tagOf(tag)));
  expect(told(await outputOf([], ...measures))).toEqual([undefined, undefined, undefined, "310.5"]);
  expect(told(await outputOf(["retain-patient-characteristics"], ...measures))).toEqual([
    "1.72",
    "31.7",
    "71.5",
    "310.5",
  ]);
  const message = await outputOf(["retain-patient-characteristics"], text(0x00101022, "4455667"));
  expect(message.has(tagOf(0x00101022))).toBe(false);
});
