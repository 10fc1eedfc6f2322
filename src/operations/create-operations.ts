import { neverAborted } from "../units/abort.ts";
import { controlArchive, echoArchive, findInArchive, listArchives } from "./archives.ts";
import { readAudit, verifyAudit } from "./audit.ts";
import { backUp, rehearseBackUp } from "./backup.ts";
import {
  cancelJobs,
  checkCohort,
  cohortStatus,
  exportRows,
  linkCohort,
  listCohorts,
  retryJobs,
  setPriority,
  submitCohort,
} from "./cohorts.ts";
import type { OperationsContext } from "./context.ts";
import { createInquiryOperations } from "./create-inquiry-operations.ts";
import { createScannerOperations } from "./create-scanner-operations.ts";
import { examine } from "./doctor.ts";
import { listFailures, retryFailures } from "./failures.ts";
import type { InsightOperations } from "./insight-operations.ts";
import { createIntakeOperations } from "./intake.ts";
import { destroyLinkage, exportLinkage, lookUpLinkage } from "./linkage.ts";
import type { LinkageOperations } from "./linkage-operations.ts";
import { forgetNode, listNodes } from "./nodes.ts";
import { listChannels, type NotificationOperations, testChannel } from "./notifications.ts";
import type { Operations } from "./operations.ts";
import { describeOverview, listDeliveries, listProjects, listWorkers, studyChanges } from "./overview.ts";
import { changeProjectKey } from "./project-keys.ts";
import { releaseStudy } from "./release.ts";
import { permitOf } from "./roles.ts";
import type { ScannerOperations } from "./scanner-operations.ts";
import { checkScope, type Scope } from "./scope.ts";
import { reloadSettings } from "./settings.ts";
import { createStandingOperations } from "./standing/create-standing-operations.ts";
import { listStudies, showIdentity, showStudy, studyLedger } from "./studies.ts";
import { studyReport, studyThumbnail } from "./study-report.ts";
import { throughput } from "./throughput.ts";
import { createToken, listTokens, revokeToken } from "./tokens.ts";
import { withdrawPatients } from "./withdraw.ts";
import type { WithdrawalOperations } from "./withdrawal-operations.ts";

/** The one implementation of what can be asked, over a store and the composed archives, for one actor. */
export function createOperations(context: OperationsContext): Operations {
  const { actor, audit } = context;
  const permit = permitOf(actor, audit);
  /** Nothing is looked at before the permission is there. */
  async function* permitted<T>(
    operation: keyof Operations,
    scope: Scope,
    items: () => AsyncIterable<T>,
  ): AsyncGenerator<T> {
    await permit(operation);
    await checkScope(context, scope);
    yield* items();
  }
  async function once<T>(operation: keyof Operations, scope: Scope, ask: () => Promise<T>): Promise<T> {
    await permit(operation);
    await checkScope(context, scope);
    return await ask();
  }
  return {
    ...scannerOperations(context, { permitted, once }),
    ...insightOperations(context, { once }),
    ...queueOperations(context, { once }),
    ...projectOperations(context, { permitted, once }),
    ...createInquiryOperations(context, { once, permitted }),
    ...createIntakeOperations(context, { once, permitted }),
    ...createStandingOperations(context, { once }),
    ...notificationOperations(context, { once }),
    ...backupOperations(context, { once }),
    checkCohort: (file, project) => once("checkCohort", { project }, () => checkCohort(context, file, project)),
    cohortStatus: (cohort, options) =>
      once("cohortStatus", { cohort }, () => cohortStatus(context, cohort, options?.jobs ?? false)),
    listCohorts: (page) => permitted("listCohorts", "own", () => listCohorts(context, page)),
    linkCohort: (cohort) => once("linkCohort", { cohort }, () => linkCohort(context, cohort)),
    exportCohort: (cohort) => permitted("exportCohort", { cohort }, () => exportRows(context, cohort)),
    retryCohort: (cohort) => once("retryCohort", { cohort }, () => retryJobs(context, { cohort })),
    cancelCohort: (cohort) => once("cancelCohort", { cohort }, () => cancelJobs(context, { cohort })),
    listStudies: (filter, page) => permitted("listStudies", scopeOf(filter), () => listStudies(context, filter, page)),
    showStudy: (job) => once("showStudy", { job }, () => showStudy(context, job)),
    studyLedger: (job) => once("studyLedger", { job }, () => studyLedger(context, job)),
    showIdentity: (job) => once("showIdentity", { job }, () => showIdentity(context, job)),
    retryStudy: (job) => once("retryStudy", { job }, () => retryJobs(context, { job })),
    cancelStudy: (job) => once("cancelStudy", { job }, () => cancelJobs(context, { job })),
    releaseStudy: (job, wish) => once("releaseStudy", { job }, () => releaseStudy(context, job, wish)),
    showIdentifiedValues: ({ project, profile }) =>
      once("showIdentifiedValues", { project }, () =>
        audit.record({ event: "identified-values-shown", actor, outcome: "success", project, detail: { profile } }),
      ),
    readAudit: (page) => once("readAudit", "site", () => readAudit(context, page)),
    verifyAudit: (noted) => once("verifyAudit", "site", () => verifyAudit(context, noted)),
    listArchives: () => permitted("listArchives", "own", () => listArchives(context)),
    controlArchive: (name, controls) => once("controlArchive", "site", () => controlArchive(context, name, controls)),
    echoArchive: (name, signal = neverAborted()) =>
      once("echoArchive", "site", () => echoArchive(context, name, signal)),
    findInArchive: (name, keys, options, signal = neverAborted()) =>
      permitted("findInArchive", "site", () => findInArchive(context, name, keys, options, signal)),
    doctor: (signal = neverAborted(), onCheck = undefined) =>
      once("doctor", "site", () => examine(context, signal, onCheck)),
    overview: () => once("overview", "own", () => describeOverview(context)),
    studyChanges: (page) => once("studyChanges", "own", () => studyChanges(context, page)),
    listProjects: () => once("listProjects", "own", () => listProjects(context)),
    listDeliveries: (page) => permitted("listDeliveries", "own", () => listDeliveries(context, page)),
    ...whoWorks(context, { once }),
    showSettings: () => once("showSettings", "site", () => Promise.resolve(context.settings)),
    reloadSettings: () => once("reloadSettings", "site", () => reloadSettings(context)),
    createToken: (wish) => once("createToken", "site", () => createToken(context, wish)),
    listTokens: () => once("listTokens", "site", () => listTokens(context)),
    revokeToken: (which) => once("revokeToken", "site", () => revokeToken(context, which)),
  };
}

/** How an operation is asked: after the permission for it, within what the asker may see. */
interface Asking {
  permitted<T>(operation: keyof Operations, scope: Scope, items: () => AsyncIterable<T>): AsyncGenerator<T>;
  once<T>(operation: keyof Operations, scope: Scope, ask: () => Promise<T>): Promise<T>;
}

/** What is wanted when, and before what. */
function queueOperations(
  context: OperationsContext,
  { once }: Pick<Asking, "once">,
): Pick<Operations, "submitCohort" | "prioritiseCohort" | "prioritiseStudy"> {
  return {
    submitCohort: (file, project, options) =>
      once("submitCohort", { project }, () => submitCohort(context, file, project, options)),
    prioritiseCohort: (cohort, priority) =>
      once("prioritiseCohort", { cohort }, () => setPriority(context, { cohort }, priority)),
    prioritiseStudy: (job, priority) => once("prioritiseStudy", { job }, () => setPriority(context, { job }, priority)),
  };
}

function insightOperations(context: OperationsContext, { once }: Pick<Asking, "once">): InsightOperations {
  return {
    throughput: (of) => once("throughput", scopeOf(of), () => throughput(context, of)),
    listFailures: (of = {}) => once("listFailures", scopeOf(of), () => listFailures(context, of)),
    retryFailures: (code, of = {}) => once("retryFailures", scopeOf(of), () => retryFailures(context, code, of)),
    studyReport: (job) => once("studyReport", { job }, () => studyReport(context, job)),
    studyThumbnail: (job) => once("studyThumbnail", { job }, () => studyThumbnail(context, job)),
  };
}

function projectOperations(
  context: OperationsContext,
  { permitted, once }: Asking,
): LinkageOperations & WithdrawalOperations & Pick<Operations, "changeProjectKey"> {
  return {
    changeProjectKey: (project) => once("changeProjectKey", { project }, () => changeProjectKey(context, project)),
    exportLinkage: (project) => permitted("exportLinkage", { project }, () => exportLinkage(context, project)),
    lookUpLinkage: (project, wish) => once("lookUpLinkage", { project }, () => lookUpLinkage(context, project, wish)),
    destroyLinkage: (project, options) =>
      once("destroyLinkage", { project }, () => destroyLinkage(context, project, options)),
    withdrawPatients: (project, wish, signal = neverAborted()) =>
      once("withdrawPatients", { project }, () => withdrawPatients(context, project, wish, signal)),
  };
}

function whoWorks(
  context: OperationsContext,
  { once }: Pick<Asking, "once">,
): Pick<Operations, "listWorkers" | "listNodes" | "forgetNode"> {
  return {
    listWorkers: () => once("listWorkers", "own", () => listWorkers(context)),
    listNodes: () => once("listNodes", "own", () => listNodes(context)),
    forgetNode: (node, wish) => once("forgetNode", "site", () => forgetNode(context, node, wish)),
  };
}

function backupOperations(context: OperationsContext, { once }: Pick<Asking, "once">): Pick<Operations, "backUp"> {
  return {
    backUp: (file, { isRehearsal = false } = {}) =>
      once("backUp", "site", async () => (isRehearsal ? rehearseBackUp(context, file) : backUp(context, file))),
  };
}

function notificationOperations(context: OperationsContext, { once }: Pick<Asking, "once">): NotificationOperations {
  return {
    listChannels: () => once("listChannels", "site", () => listChannels(context)),
    testChannel: (name, options) => once("testChannel", "site", () => testChannel(context, name, options)),
  };
}

/** Scanners are a matter of the whole site. */
function scannerOperations(context: OperationsContext, { permitted, once }: Asking): ScannerOperations {
  const desk = createScannerOperations(context);
  return {
    listScanners: () => permitted("listScanners", "site", () => desk.listScanners()),
    listScanSequences: () => permitted("listScanSequences", "site", () => desk.listScanSequences()),
    listScanTasks: (filter) => permitted("listScanTasks", "site", () => desk.listScanTasks(filter)),
    showScanTask: (id) => once("showScanTask", "site", () => desk.showScanTask(id)),
    createScanTask: (wish) => once("createScanTask", "site", () => desk.createScanTask(wish)),
    cancelScanTask: (id) => once("cancelScanTask", "site", () => desk.cancelScanTask(id)),
    retryScanTask: (id) => once("retryScanTask", "site", () => desk.retryScanTask(id)),
    releaseScanFiles: (id) => once("releaseScanFiles", "site", () => desk.releaseScanFiles(id)),
    listScanResults: (filter) => permitted("listScanResults", "site", () => desk.listScanResults(filter)),
    verifyScanResult: (id) => once("verifyScanResult", "site", () => desk.verifyScanResult(id)),
    openScanFile: (id, name) => once("openScanFile", "site", () => desk.openScanFile(id, name)),
  };
}

function scopeOf({ cohort, project }: Parameters<Operations["listStudies"]>[0]): Scope {
  if (cohort !== undefined) return { cohort };
  return project === undefined ? "own" : { project };
}
