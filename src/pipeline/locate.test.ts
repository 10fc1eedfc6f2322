import { expect, it } from "vitest";
import type { Archive, StudyMatch, StudyQuery } from "../archive/archive.ts";
import { parseStudyInstanceUid } from "../dicom/uid.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { JobRecord, LocatedStudy, StudyClaim } from "../store/records.ts";
import { locate } from "./locate.ts";
import type { StepContext } from "./step.ts";

const WANTED = parseStudyInstanceUid("1.2.3.4");
const OTHER = parseStudyInstanceUid("1.2.3.5");

function study(studyInstanceUid: typeof WANTED, patientId: string, accessionNumber: string): StudyMatch {
  return { studyInstanceUid, patientId, accessionNumber };
}

/** An archive that answers from a list, and writes down what it was asked. */
function archiveWith(name: string, studies: readonly StudyMatch[] | GatewayError, asked: string[] = []): Archive {
  const matches = (query: StudyQuery, { studyInstanceUid, patientId, accessionNumber }: StudyMatch): boolean =>
    query.by === "study-uid"
      ? query.studyInstanceUid === studyInstanceUid
      : query.accessionNumber === accessionNumber && (query.patientId ?? patientId) === patientId;
  const unused = (): never => {
    throw new Error("not asked in this step");
  };
  return {
    name,
    kind: "dimse",
    capabilities: { search: "itself", retrieves: "instance", connects: "us" },
    associations: 1,
    async findStudies(query) {
      asked.push(`${name} ${query.by}`);
      if (studies instanceof GatewayError) throw studies;
      return studies.filter((one) => matches(query, one));
    },
    echo: unused,
    find: unused,
    listStudy: unused,
    retrieve: unused,
    rehearseRetrieval: unused,
    async [Symbol.asyncDispose]() {},
  };
}

/** As the store has it once it is located. */
const JOB = { id: "job", stage: "retrieving" };

interface Asked {
  readonly context: StepContext;
  readonly located: LocatedStudy[];
}

function ask(
  key: Partial<JobRecord>,
  archives: readonly Archive[],
  project: Partial<StepContext["project"]> = {},
  claims: readonly StudyClaim[] = [],
): Asked {
  const located: LocatedStudy[] = [];
  const store = {
    claimsOfJob: async () => claims,
    async located(_lease: unknown, _archive: string, studies: readonly LocatedStudy[]) {
      located.push(...studies);
      return JOB;
    },
  };
  const context = {
    services: { store, clock: { nowMs: () => 0 } },
    project: { name: "trial", archives, optOut: new Set(), maximumStudiesPerRequest: 5, ...project },
    job: { studyInstanceUid: undefined, patientId: undefined, accessionNumber: undefined, ...key },
    lease: { jobId: "job", token: "token" },
    signal: new AbortController().signal,
    write: async () => {},
  } as unknown as StepContext;
  return { context, located };
}

it("takes the study from the first archive that has it", async () => {
  const asked: string[] = [];
  const archives = [archiveWith("vna", [], asked), archiveWith("pacs", [study(WANTED, "P1", "A1")], asked)];
  const { context, located } = ask({ studyInstanceUid: WANTED }, archives);
  expect(await locate(context)).toEqual({ kind: "journalled", job: JOB });
  expect(located).toEqual([{ studyInstanceUid: WANTED, patientId: "P1", accessionNumber: "A1" }]);
  expect(asked).toEqual(["vna study-uid", "pacs study-uid"]);
});

it("asks every archive by UID before any by accession number", async () => {
  const archives = [archiveWith("vna", [study(OTHER, "P1", "A1")]), archiveWith("pacs", [study(WANTED, "P1", "A1")])];
  const { context, located } = ask({ studyInstanceUid: WANTED, patientId: "P1", accessionNumber: "A1" }, archives);
  await locate(context);
  expect(located.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([WANTED]);
});

it("takes every study of an accession number", async () => {
  const { context, located } = ask({ patientId: "P1", accessionNumber: "A1" }, [
    archiveWith("vna", [study(WANTED, "P1", "A1"), study(OTHER, "P1", "A1")]),
  ]);
  await locate(context);
  expect(located).toHaveLength(2);
});

it("waits for an archive that cannot answer instead of asking the next", async () => {
  const down = new GatewayError("CONNECTION_FAILED");
  const asked: string[] = [];
  const archives = [archiveWith("vna", down, asked), archiveWith("pacs", [study(WANTED, "P1", "A1")], asked)];
  await expect(locate(ask({ studyInstanceUid: WANTED }, archives).context)).rejects.toMatchObject({ cause: down });
  expect(asked).toEqual(["vna study-uid"]);
});

it("says which archive could not answer, as the archive may not know its name", async () => {
  const down = new GatewayError("CONNECTION_FAILED", { attempts: 2 });
  const archives = [archiveWith("vna", []), archiveWith("pacs", down)];
  await expect(locate(ask({ studyInstanceUid: WANTED }, archives).context)).rejects.toMatchObject({
    ...{ code: "CONNECTION_FAILED", details: { attempts: 2, archive: "pacs" } },
  });
});

it("ends not-found when every archive says so", async () => {
  const { context } = ask({ studyInstanceUid: WANTED }, [archiveWith("vna", []), archiveWith("pacs", [])]);
  expect(await locate(context)).toMatchObject({ kind: "end", state: "not-found", code: "STUDY_NOT_FOUND" });
});

it("refuses an accession number that leads to two patients, unless the row names one", async () => {
  const archives = [archiveWith("vna", [study(WANTED, "P1", "A1"), study(OTHER, "P2", "A1")])];
  await expect(locate(ask({ accessionNumber: "A1" }, archives).context)).rejects.toThrow(
    expect.objectContaining({ code: "AMBIGUOUS_PATIENT" }),
  );
  const named = ask({ patientId: "P2", accessionNumber: "A1" }, archives);
  await locate(named.context);
  expect(named.located.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([OTHER]);
});

it("refuses more studies than one request may bring", async () => {
  const archives = [archiveWith("vna", [study(WANTED, "P1", "A1"), study(OTHER, "P1", "A1")])];
  const { context } = ask({ accessionNumber: "A1" }, archives, { maximumStudiesPerRequest: 1 });
  await expect(locate(context)).rejects.toThrow(expect.objectContaining({ code: "TOO_MANY_STUDIES" }));
});

it("does not ask for a patient who opted out, and drops the studies of one", async () => {
  const optOut = new Set(["P1"]);
  const asked: string[] = [];
  const archives = [archiveWith("vna", [study(WANTED, "P1", "A1")], asked)];
  const excluded = { kind: "end", state: "excluded", code: "PATIENT_OPTED_OUT" };
  const byPatient = ask({ patientId: "P1", accessionNumber: "A1" }, archives, { optOut });
  expect(await locate(byPatient.context)).toMatchObject(excluded);
  expect(asked).toEqual([]);
  expect(await locate(ask({ studyInstanceUid: WANTED }, archives, { optOut }).context)).toMatchObject(excluded);
});

const claim = (patientId?: string, accessionNumber?: string): StudyClaim => ({ patientId, accessionNumber });
const ofAnother = it.each([
  ["patient", "PatientID", [claim("P2", "A1")]],
  ["accession number", "AccessionNumber", [claim("P1", "A2")]],
  ["accession number in one of its rows", "AccessionNumber", [claim("P1", "A1"), claim(undefined, "A2")]],
]);

ofAnother("takes no study by its UID for a row that names another %s", async (_what, attribute, claims) => {
  const archives = [archiveWith("vna", [study(WANTED, "P1", "A1"), study(OTHER, "P2", "A2")])];
  const { context, located } = ask({ studyInstanceUid: WANTED }, archives, {}, claims);
  await expect(locate(context)).rejects.toMatchObject({
    ...{ code: "STUDY_KEYS_DISAGREE", details: { archive: "vna", attribute } },
  });
  expect(located).toEqual([]);
});

it("takes a study by its UID when neither its row nor the archive says otherwise", async () => {
  const archives = [archiveWith("vna", [study(WANTED, "P1", "")])];
  const { context, located } = ask({ studyInstanceUid: WANTED }, archives, {}, [claim("P1", "A9"), claim()]);
  await locate(context);
  expect(located).toHaveLength(1);
});

it("takes a study by its UID when its row has lost the zeros of the archive's numbers", async () => {
  const archives = [archiveWith("vna", [study(WANTED, "0004711", "B0012")])];
  const { context, located } = ask({ studyInstanceUid: WANTED }, archives, {}, [claim("4711", "b0012")]);
  await locate(context);
  expect(located).toHaveLength(1);
});
