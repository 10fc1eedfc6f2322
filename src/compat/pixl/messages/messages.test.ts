import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { deserialise } from "./deserialise.ts";
import { checkKeys } from "./keys.ts";
import type { Message } from "./message.ts";
import { serialise } from "./serialise.ts";

const message: Message = {
  mrn: "987654321",
  accessionNumber: "AA12345601",
  studyUid: "1.3.6.1",
  seriesUid: "",
  studyDate: "2022-11-22",
  procedureOccurrenceId: 4,
  projectName: "test-extract-uclh-omop-cdm",
  extractGeneratedTimestamp: "2023-12-07T14:08:58",
};

/** What PIXL's command line publishes for it. 2022-11-22 is 07 E6 0B 16; the timestamp 07 E7 0C 07 0E 08 3A and no microseconds. */
const PUBLISHED =
  '{"py/object": "core.patient_queue.message.Message", "mrn": "987654321", "accession_number": "AA12345601",' +
  ' "study_uid": "1.3.6.1", "series_uid": "",' +
  ' "study_date": {"py/object": "datetime.date", "__reduce__": [{"py/type": "datetime.date"}, ["B+YLFg=="]]},' +
  ' "procedure_occurrence_id": 4, "project_name": "test-extract-uclh-omop-cdm", "extract_generated_timestamp":' +
  ' {"py/object": "datetime.datetime", "__reduce__": [{"py/type": "datetime.datetime"}, ["B+cMBw4IOgAAAA=="]]}}';

/** PIXL's message with some members replaced by JSON as it is written; undefined leaves one out. */
function published(changes: Readonly<Record<string, string | undefined>>): Buffer {
  const members = {
    mrn: '"1"',
    accession_number: '"A"',
    study_uid: '"1.2"',
    series_uid: '""',
    project_name: '"p"',
    ...changes,
  };
  const texts = Object.entries(members).filter(([, value]) => value !== undefined);
  return Buffer.from(`{${texts.map(([name, value]) => `"${name}": ${value}`).join(", ")}}`);
}

const pickled = (kind: string, ...args: string[]): string =>
  `{"py/object": "datetime.${kind}", "__reduce__": [{"py/type": "datetime.${kind}"}, [${args.join(", ")}]]}`;
const zoned = (zone: string): string => pickled("datetime", '"B+cMBw4IAAAAAA=="', zone);
const offset = (delta: string): string =>
  `{"py/reduce": [{"py/type": "datetime.timezone"}, {"py/tuple": [{"py/reduce": [{"py/type": "datetime.timedelta"}, {"py/tuple": ${delta}}]}]}]}`;

describe("serialise", () => {
  it("writes what PIXL publishes, byte for byte", () => {
    expect(serialise(message).toString("latin1")).toBe(PUBLISHED);
  });

  it("writes PIXL's plain form", () => {
    const plain: Message = {
      mrn: "111",
      accessionNumber: "123",
      studyUid: "1.2.3",
      seriesUid: "",
      studyDate: "2022-11-22",
      procedureOccurrenceId: "234",
      projectName: "test project",
      extractGeneratedTimestamp: "2023-12-07T14:08:00Z",
    };
    expect(serialise(plain, { deserialisable: false }).toString()).toBe(
      '{"mrn": "111", "accession_number": "123", "study_uid": "1.2.3", "series_uid": "", "study_date": "2022-11-22", ' +
        '"procedure_occurrence_id": "234", "project_name": "test project", ' +
        '"extract_generated_timestamp": "2023-12-07T14:08:00+00:00"}',
    );
  });

  it("writes printable ASCII only, as Python's json.dumps", () => {
    expect(serialise({ ...message, mrn: "Jörg\u007f😀" }).toString("latin1")).toContain(
      String.raw`"J\u00f6rg\u007f\ud83d\ude00"`,
    );
  });
});

describe("deserialise", () => {
  it("reads what PIXL publishes", () => {
    expect(deserialise(Buffer.from(PUBLISHED))).toEqual(message);
  });

  it.each([
    "2023-12-07T14:08:58.123456",
    "2023-12-07T14:08:00+00:00",
    "2023-12-07T14:08:00-05:00",
    "2023-07-07T14:08:00+01:00[Europe/London]",
    "not a date",
    "",
  ])("gives back the timestamp %j in both forms", (extractGeneratedTimestamp) => {
    const whole = { ...message, extractGeneratedTimestamp };
    expect(deserialise(serialise(whole))).toEqual(whole);
    const plain = deserialise(serialise(whole, { deserialisable: false }));
    expect(plain.extractGeneratedTimestamp).toBe(extractGeneratedTimestamp.replace(/\[.*/, ""));
  });

  it("takes what else producers send", () => {
    const read = deserialise(
      published({
        study_uid: "null",
        series_uid: undefined,
        procedure_occurrence_id: "4.0",
        note: '{"a": [NaN, "NaN"]}',
      }),
    );
    expect(read).toEqual({
      mrn: "1",
      accessionNumber: "A",
      studyUid: "",
      seriesUid: "",
      studyDate: "",
      procedureOccurrenceId: 4,
      projectName: "p",
      extractGeneratedTimestamp: "",
    });
  });

  it("follows references to what came before", () => {
    const study_date = zoned(offset("[-1, 68400, 0]"));
    const read = (stamp: string) => deserialise(published({ study_date, extract_generated_timestamp: stamp }));
    expect(read('{"py/id": 1}').extractGeneratedTimestamp).toBe("2023-12-07T14:08:00-05:00");
    expect(read(zoned('{"py/id": 2}')).extractGeneratedTimestamp).toBe("2023-12-07T14:08:00-05:00");
  });

  const hostile = '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]}';
  it.each<readonly [string, Buffer, string, Readonly<Record<string, unknown>>]>([
    ["text that is not JSON", Buffer.from("987654321"), "PIXL_MESSAGE_NOT_OBJECT", { found: "number" }],
    ["a word", Buffer.from("hello"), "PIXL_MESSAGE_NOT_JSON", {}],
    ["nothing", Buffer.alloc(0), "PIXL_MESSAGE_NOT_JSON", {}],
    ["what is cut short", Buffer.from(PUBLISHED.slice(0, -9)), "PIXL_MESSAGE_NOT_JSON", {}],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "PIXL_MESSAGE_NOT_JSON", { problem: "not UTF-8" }],
    ["a list", Buffer.from("[]"), "PIXL_MESSAGE_NOT_OBJECT", { found: "list" }],
    ["a string", Buffer.from('"s"'), "PIXL_MESSAGE_NOT_OBJECT", { found: "string" }],
    ["a bare NaN", Buffer.from("NaN"), "PIXL_MESSAGE_NOT_OBJECT", { found: "NaN" }],
    ["another class", published({ "py/object": '"os.Popen"' }), "PIXL_MESSAGE_CLASS_UNKNOWN", {}],
    ["no MRN", published({ mrn: undefined }), "PIXL_MESSAGE_FIELD_MISSING", { field: "mrn" }],
    ["no study UID", published({ study_uid: undefined }), "PIXL_MESSAGE_FIELD_MISSING", { field: "study_uid" }],
    ["no project", published({ project_name: undefined }), "PIXL_MESSAGE_FIELD_MISSING", { field: "project_name" }],
    ["an MRN of NaN", published({ mrn: "NaN" }), "PIXL_MESSAGE_FIELD_INVALID", { field: "mrn", found: "NaN" }],
    ["a numeric MRN", published({ mrn: "1" }), "PIXL_MESSAGE_FIELD_INVALID", { field: "mrn", found: "number" }],
    ["a call for a field", published({ mrn: hostile }), "PIXL_MESSAGE_HOSTILE", { form: "py/reduce" }],
    ["a call in an unknown field", published({ note: `[${hostile}]` }), "PIXL_MESSAGE_HOSTILE", {}],
    ["a call for a zone", published({ study_date: zoned(hostile) }), "PIXL_MESSAGE_HOSTILE", {}],
    ["a call for the message", Buffer.from(hostile), "PIXL_MESSAGE_HOSTILE", {}],
    ["an object of a class", published({ note: '{"py/object": "antigravity.X"}' }), "PIXL_MESSAGE_HOSTILE", {}],
    ["a class as its own", published({ "py/object": hostile }), "PIXL_MESSAGE_HOSTILE", {}],
    ["a wrong state", published({ study_date: pickled("date", '"AAAA"') }), "PIXL_MESSAGE_HOSTILE", {}],
    ["a date of a number", published({ study_date: "4" }), "PIXL_MESSAGE_FIELD_INVALID", { field: "study_date" }],
    ["deep nesting", Buffer.from("[".repeat(99)), "PIXL_MESSAGE_TOO_LARGE", {}],
    ["more than PIXL sends", Buffer.alloc(1024 * 1024 + 1, " "), "PIXL_MESSAGE_TOO_LARGE", {}],
  ])("W5: refuses %s", (_, bytes, code, details) => {
    expect(() => deserialise(bytes)).toThrow(
      expect.objectContaining({ code, details: expect.objectContaining(details) }),
    );
  });

  it("reads each character once, however a string is left open", () => {
    const open = Buffer.from(`"${'\\"'.repeat(500_000)}`);
    expect(() => deserialise(open)).toThrow(expect.objectContaining({ code: "PIXL_MESSAGE_NOT_JSON" }));
  });

  it("reads it at once, however much of it looks like no number", () => {
    const mrn = `Na${"N".repeat(1_000_000)}`;
    const bytes = published({ mrn: JSON.stringify(mrn) });
    expect(deserialise(bytes)).toMatchObject({ mrn });
  });

  it("quotes nothing of a message in an error", () => {
    const refused = (): unknown => {
      try {
        return deserialise(Buffer.from('{"mrn": "SECRET'));
      } catch (thrown) {
        return JSON.stringify(thrown) + String(thrown) + String(thrown instanceof Error && thrown.cause);
      }
    };
    expect(refused()).not.toContain("SECRET");
  });
});

describe("whatever it is given, the reader", () => {
  const outcomeOf = (bytes: Uint8Array): string => {
    try {
      return Object.keys(deserialise(bytes)).length === 8 ? "message" : "another thing";
    } catch (thrown) {
      return thrown instanceof GatewayError ? thrown.code : "another error";
    }
  };
  const expected = /^(?:message|PIXL_MESSAGE_[A-Z_]+)$/;
  const word = fc.constantFrom(
    "py/object",
    "py/reduce",
    "py/id",
    "py/tuple",
    "py/type",
    "datetime.date",
    "NaN",
    "__reduce__",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof({ maxDepth: 6 }, word, fc.integer(), fc.constant(null), tie("list"), tie("object")),
    list: fc.array(tie("tree"), { maxLength: 3 }),
    object: fc.dictionary(word, tie("tree"), { maxKeys: 3 }),
  }));

  it("answers with a message or a reason", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(outcomeOf(bytes)).toMatch(expected);
      }),
    );
    fc.assert(
      fc.property(tree, tree, (mrn, study_date) => {
        const bytes = published({ mrn: JSON.stringify(mrn), study_date: JSON.stringify(study_date) });
        expect(outcomeOf(bytes)).toMatch(expected);
      }),
    );
  });

  it("gives back what the writer was given", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, text, (mrn, projectName, seriesUid) => {
        const whole = { ...message, mrn, projectName, seriesUid };
        expect(deserialise(serialise(whole))).toEqual(whole);
        expect(deserialise(serialise(whole, { deserialisable: false }))).toEqual(whole);
      }),
    );
  });
});

describe("checkKeys", () => {
  const keysOf = (changes: Partial<Message>) => checkKeys({ ...message, ...changes });

  it("gives the keys without blanks around them, and the series one by one", () => {
    expect(keysOf({ mrn: " 1 ", studyUid: "", seriesUid: "1.2\\1.3" })).toEqual({
      mrn: "1",
      accessionNumber: "AA12345601",
      studyInstanceUid: undefined,
      seriesInstanceUids: ["1.2", "1.3"],
    });
  });

  it.each<readonly [Partial<Message>, Readonly<Record<string, unknown>>]>([
    [{ studyUid: " ", mrn: " " }, { code: "PIXL_MESSAGE_KEYS_BLANK" }],
    [{ studyUid: "", accessionNumber: "" }, { code: "PIXL_MESSAGE_KEYS_BLANK" }],
    [{ mrn: "12*" }, { details: { field: "mrn", reason: "KEY_HAS_WILDCARD" } }],
    [{ accessionNumber: "A\\B" }, { details: { field: "accession_number", reason: "KEY_HAS_WILDCARD" } }],
    [{ studyUid: "?" }, { details: { field: "study_uid", reason: "KEY_HAS_WILDCARD" } }],
    [{ seriesUid: "1.2\\x" }, { details: { field: "series_uid", reason: "UID_INVALID" } }],
    [{ projectName: " " }, { details: { field: "project_name", reason: "blank" } }],
  ])("refuses %j", (changes, refusal) => {
    expect(() => keysOf(changes)).toThrow(expect.objectContaining(refusal));
  });
});
