import { GatewayError } from "../errors/gateway-error.ts";
import { type Actor, hasRole, type Role } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import type { Operations } from "./operations.ts";

/**
 * The least role for each operation. Viewers see states and counts, operators work with identifiers of their own lists and archives,
 * admins decide on what leaves against a rule, see values of originals and read who did what.
 */
export const OPERATION_ROLES: { readonly [O in keyof Operations]: Role } = {
  submitCohort: "operator",
  checkCohort: "operator",
  cohortStatus: "viewer",
  listCohorts: "viewer",
  exportCohort: "operator",
  linkCohort: "operator",
  retryCohort: "operator",
  cancelCohort: "operator",
  prioritiseCohort: "operator",
  listStudies: "viewer",
  showStudy: "viewer",
  studyLedger: "viewer",
  showIdentity: "admin",
  retryStudy: "operator",
  cancelStudy: "operator",
  prioritiseStudy: "operator",
  releaseStudy: "admin",
  changeProjectKey: "admin",
  exportLinkage: "admin",
  lookUpLinkage: "admin",
  destroyLinkage: "admin",
  withdrawPatients: "admin",
  showIdentifiedValues: "admin",
  readAudit: "admin",
  verifyAudit: "admin",
  backUp: "admin",
  listIntake: "operator",
  assignIntake: "operator",
  discardIntake: "admin",
  listArchives: "viewer",
  controlArchive: "operator",
  echoArchive: "operator",
  findInArchive: "operator",
  doctor: "operator",
  overview: "viewer",
  studyChanges: "viewer",
  listProjects: "viewer",
  listDeliveries: "viewer",
  listWorkers: "viewer",
  listNodes: "viewer",
  forgetNode: "admin",
  listChannels: "operator",
  testChannel: "operator",
  showSettings: "operator",
  reloadSettings: "admin",
  createToken: "admin",
  listTokens: "admin",
  revokeToken: "admin",
  planCohort: "operator",
  checkCohortDelivery: "operator",
  exportEvidence: "operator",
  estimateSearch: "operator",
  searchCohort: "operator",
  searchResult: "operator",
  searchStudies: "operator",
  submitSearch: "operator",
  addStanding: "operator",
  listStanding: "viewer",
  showStanding: "operator",
  pauseStanding: "operator",
  resumeStanding: "operator",
  runStanding: "operator",
  removeStanding: "operator",
  listInquiries: "operator",
  showInquiry: "operator",
  inquiryItems: "operator",
  cancelInquiry: "operator",
  throughput: "viewer",
  listFailures: "viewer",
  retryFailures: "operator",
  studyReport: "viewer",
  studyThumbnail: "viewer",
  listScanners: "viewer",
  listScanSequences: "viewer",
  listScanTasks: "viewer",
  showScanTask: "operator",
  createScanTask: "operator",
  cancelScanTask: "operator",
  retryScanTask: "operator",
  releaseScanFiles: "operator",
  listScanResults: "operator",
  verifyScanResult: "operator",
  openScanFile: "operator",
};

/**
 * Checks that the actor may do what is asked; a refusal is written to the audit trail before it is given.
 * @throws GatewayError ROLE_INSUFFICIENT
 */
export type Permit = (operation: keyof Operations) => Promise<void>;

export function permitOf(actor: Actor, audit: AuditTrail): Permit {
  return async (operation) => {
    const needed = OPERATION_ROLES[operation];
    if (hasRole(actor, needed)) return;
    const detail = { operation, needed };
    await audit.record({ event: "operation-refused", actor, outcome: "refused", detail });
    throw new GatewayError("ROLE_INSUFFICIENT", { operation, needed, role: actor.role ?? "none" });
  };
}
