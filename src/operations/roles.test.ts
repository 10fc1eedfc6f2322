import { expect, it } from "vitest";
import { GatewayError } from "../errors/gateway-error.ts";
import type { Store } from "../store/store.ts";
import { type Actor, ROLES, type Role } from "../units/actor.ts";
import type { AuditEvent } from "../units/audit.ts";
import { contextOf } from "./context.testing.ts";
import { createOperations } from "./create-operations.ts";
import type { Operations } from "./operations.ts";
import { OPERATION_ROLES } from "./roles.ts";

const wish = { reason: "reviewed", leaveOut: ["1"], leaveOutRejected: false, allowTags: [] };

/** Each operation as it is asked, up to its first answer. */
const ASKED: { readonly [O in keyof Operations]: (operations: Operations) => Promise<unknown> } = {
  submitCohort: (of) => of.submitCohort("/no/such/file", "lung"),
  cohortStatus: (of) => of.cohortStatus("c"),
  listCohorts: (of) => first(of.listCohorts()),
  exportCohort: (of) => first(of.exportCohort("c")),
  linkCohort: (of) => of.linkCohort("c"),
  retryCohort: (of) => of.retryCohort("c"),
  prioritiseCohort: (of) => of.prioritiseCohort("c", 5),
  prioritiseStudy: (of) => of.prioritiseStudy("j", 5),
  cancelCohort: (of) => of.cancelCohort("c"),
  listStudies: (of) => first(of.listStudies({})),
  showStudy: (of) => of.showStudy("j"),
  retryStudy: (of) => of.retryStudy("j"),
  cancelStudy: (of) => of.cancelStudy("j"),
  releaseStudy: (of) => of.releaseStudy("j", wish),
  exportLinkage: (of) => first(of.exportLinkage("lung")),
  lookUpLinkage: (of) => of.lookUpLinkage("lung", { pseudonym: "p" }),
  destroyLinkage: (of) => of.destroyLinkage("lung"),
  withdrawPatients: (of) => of.withdrawPatients("lung", { patientIds: ["P1"] }),
  changeProjectKey: (of) => of.changeProjectKey("lung"),
  showIdentifiedValues: (of) => of.showIdentifiedValues({ project: "lung", profile: "basic" }),
  readAudit: (of) => of.readAudit({ limit: 1 }),
  verifyAudit: (of) => of.verifyAudit(),
  backUp: (of) => of.backUp("/no/such/folder/file"),
  listArchives: (of) => first(of.listArchives()),
  controlArchive: (of) => of.controlArchive("vna", { paused: true }),
  echoArchive: (of) => of.echoArchive("vna"),
  findInArchive: (of) => first(of.findInArchive("vna", [], { level: "STUDY", maximumAnswers: 1 })),
  doctor: (of) => of.doctor(),
  planCohort: (of) => of.planCohort("/no/such/file", "lung"),
  checkCohortDelivery: (of) => of.checkCohortDelivery("c", { queue: false }),
  exportEvidence: (of) => first(of.exportEvidence("c")),
  estimateSearch: (of) => of.estimateSearch({ project: "lung", archive: "vna", queries: [] }),
  searchCohort: (of) => of.searchCohort({ project: "lung", archive: "vna", queries: [] }),
  searchResult: (of) => first(of.searchResult("i")),
  searchStudies: (of) => first(of.searchStudies("i", { after: 0, limit: 1 })),
  submitSearch: (of) => of.submitSearch("i"),
  addStanding: (of) => of.addStanding({ name: "n", project: "lung", archive: "vna", queries: [], times: [] }),
  listStanding: (of) => of.listStanding(),
  showStanding: (of) => of.showStanding("n"),
  pauseStanding: (of) => of.pauseStanding("n"),
  resumeStanding: (of) => of.resumeStanding("n"),
  runStanding: (of) => of.runStanding("n"),
  removeStanding: (of) => of.removeStanding("n"),
  listInquiries: (of) => of.listInquiries(),
  showInquiry: (of) => of.showInquiry("i"),
  inquiryItems: (of) => of.inquiryItems("i", { after: 0, limit: 1 }),
  cancelInquiry: (of) => of.cancelInquiry("i"),
  checkCohort: (of) => of.checkCohort("/no/such/file", "lung"),
  studyLedger: (of) => of.studyLedger("j"),
  showIdentity: (of) => of.showIdentity("j"),
  overview: (of) => of.overview(),
  studyChanges: (of) => of.studyChanges({ after: 0, limit: 1 }),
  listProjects: (of) => of.listProjects(),
  listDeliveries: (of) => first(of.listDeliveries({ limit: 1 })),
  listWorkers: (of) => of.listWorkers(),
  listNodes: (of) => of.listNodes(),
  forgetNode: (of) => of.forgetNode("north", { reason: "its machine burnt" }),
  listIntake: (of) => first(of.listIntake()),
  assignIntake: (of) => of.assignIntake("intake-1", "trial"),
  discardIntake: (of) => of.discardIntake("intake-1"),
  listChannels: (of) => of.listChannels(),
  testChannel: (of) => of.testChannel("mail"),
  showSettings: (of) => of.showSettings(),
  reloadSettings: (of) => of.reloadSettings(),
  createToken: (of) => of.createToken({ name: "pat", role: "viewer", days: 1 }),
  listTokens: (of) => of.listTokens(),
  revokeToken: (of) => of.revokeToken("pat"),
  throughput: (of) => of.throughput({ span: "day" }),
  listFailures: (of) => of.listFailures(),
  retryFailures: (of) => of.retryFailures("STUDY_NOT_FOUND"),
  studyReport: (of) => of.studyReport("j"),
  studyThumbnail: (of) => of.studyThumbnail("j"),
  listScanners: (of) => first(of.listScanners()),
  listScanSequences: (of) => first(of.listScanSequences()),
  listScanTasks: (of) => first(of.listScanTasks({})),
  showScanTask: (of) => of.showScanTask("t"),
  createScanTask: (of) => of.createScanTask({ sequence: "s", name: "scan", description: "", start: false }),
  cancelScanTask: (of) => of.cancelScanTask("t"),
  retryScanTask: (of) => of.retryScanTask("t"),
  releaseScanFiles: (of) => of.releaseScanFiles("t"),
  listScanResults: (of) => first(of.listScanResults({})),
  verifyScanResult: (of) => of.verifyScanResult("r"),
  openScanFile: (of) => of.openScanFile("r", "scan.mrd"),
};

async function first(items: AsyncIterable<unknown>): Promise<unknown> {
  for await (const item of items) return item;
  return undefined;
}

/** The code an operation is refused with; undefined: it was answered. Nothing it is made of is there, so that most of them fail. */
async function codeFor(operation: keyof Operations, role: Role, told: AuditEvent[]): Promise<string | undefined> {
  const operations = createOperations(contextOf({ role, told }));
  return await ASKED[operation](operations).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof GatewayError ? thrown.code : "STRANGER"),
  );
}

const matrix = (Object.keys(ASKED) as (keyof Operations)[]).flatMap((operation) =>
  ROLES.map((role) => ({
    operation,
    role,
    isAllowed: ROLES.indexOf(role) >= ROLES.indexOf(OPERATION_ROLES[operation]),
  })),
);

it.each(matrix)("$operation for a $role: $isAllowed", async ({ operation, role, isAllowed }) => {
  const told: AuditEvent[] = [];
  const code = await codeFor(operation, role, told);
  if (isAllowed) {
    expect(code).not.toBe("ROLE_INSUFFICIENT");
    expect(told.filter(({ outcome }) => outcome === "refused")).toEqual([]);
    return;
  }
  expect(code).toBe("ROLE_INSUFFICIENT");
  const needed = OPERATION_ROLES[operation];
  expect(told).toMatchObject([
    { event: "operation-refused", outcome: "refused", actor: { name: "sam", role }, detail: { operation, needed } },
  ]);
});

it("keeps for admins what lets something leave, shows values or tells who did what", () => {
  const forAdmins = Object.entries(OPERATION_ROLES).filter(([, role]) => role === "admin");
  expect(forAdmins.map(([operation]) => operation).sort()).toEqual([
    ...["backUp", "changeProjectKey", "createToken", "destroyLinkage", "discardIntake", "exportLinkage"],
    ...["forgetNode", "listTokens", "lookUpLinkage"],
    ...["readAudit", "releaseStudy", "reloadSettings", "revokeToken", "showIdentifiedValues", "showIdentity"],
    ...["verifyAudit", "withdrawPatients"],
  ]);
});

/** What shows of everything what the asker may see: the others are of one project, or of the whole site. */
const OF_EVERYBODY: readonly (keyof Operations)[] = [
  ...(["cancelInquiry", "inquiryItems", "listArchives", "listCohorts", "listDeliveries", "listFailures"] as const),
  ...([
    "listInquiries",
    "listNodes",
    "listProjects",
    "listStanding",
    "listStudies",
    "listWorkers",
    "overview",
  ] as const),
  ...(["retryFailures", "showInquiry", "studyChanges", "throughput"] as const),
];
const NOT_HIS = new Set(["PROJECTS_LIMITED", "PROJECT_UNKNOWN", "COHORT_NOT_FOUND", "JOB_NOT_FOUND"]);

/** What another project's is asked for by name, of what else shows of everything. */
const NAMED: readonly (readonly [what: string, ask: (of: Operations) => Promise<unknown>])[] = [
  ["studies of a cohort", (of) => first(of.listStudies({ cohort: "c" }))],
  ["studies of a project", (of) => first(of.listStudies({ project: "lung" }))],
  ["throughput of a project", (of) => of.throughput({ span: "day", project: "lung" })],
  ["failures of a project", (of) => of.listFailures({ project: "lung" })],
  ["a retry in a project", (of) => of.retryFailures("STUDY_NOT_FOUND", { project: "lung" })],
  ["a retry in a cohort", (of) => of.retryFailures("STUDY_NOT_FOUND", { cohort: "c" })],
];

/** Everything there is of the project "lung", and somebody who may see "heart" asks. */
async function askedByOther(ask: (of: Operations) => Promise<unknown>) {
  const told: AuditEvent[] = [];
  const asked: PropertyKey[] = [];
  const lung = { project: "lung" } as never;
  const store = new Proxy<Partial<Store>>(
    { cohortStatus: async () => lung, job: async () => lung },
    {
      get(target, name) {
        asked.push(name);
        return Reflect.get(target, name);
      },
    },
  );
  const context = contextOf({ role: "admin", told, store });
  const actor: Actor = { ...context.actor, projects: ["heart"] };
  const projects = new Map([["lung", {} as never]]);
  const code = await ask(createOperations({ ...context, actor, projects })).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof GatewayError ? thrown.code : "STRANGER"),
  );
  // What says whose it is is asked first.
  return { code, told, asked: asked.filter((name) => name !== "cohortStatus" && name !== "job") };
}

it.each([
  ...(Object.keys(ASKED) as (keyof Operations)[])
    .filter((operation) => !OF_EVERYBODY.includes(operation))
    .map((operation) => [operation, ASKED[operation]] as const),
  ...NAMED,
])("%s of another project's is not there for who is limited", async (_what, ask) => {
  const { code, told, asked } = await askedByOther(ask);
  expect(NOT_HIS).toContain(code);
  expect({ told, asked }, "neither looked at nor told of").toEqual({ told: [], asked: [] });
});

it.each(OF_EVERYBODY)("%s is there for who is limited, as far as he may see", async (operation) => {
  expect((await askedByOther(ASKED[operation])).code).not.toBe("PROJECTS_LIMITED");
});
