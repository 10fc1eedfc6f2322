import type { Store } from "../store.ts";
import * as access from "./access.ts";
import * as acquisitions from "./acquisitions.ts";
import * as archives from "./archives.ts";
import { appendAudit, auditHeads, auditRecords } from "./audit.ts";
import * as commitments from "./commitments.ts";
import * as exams from "./exams.ts";
import { codeCounts, retryFailures } from "./failures.ts";
import { giveUpNode, returnNode } from "./forget-node.ts";
import * as inbox from "./inbox.ts";
import * as intake from "./intake.ts";
import { destroyLinkage, linkageOf, listLinks, openLinkage } from "./linkage.ts";
import * as listing from "./listing.ts";
import { located } from "./located.ts";
import * as look from "./look.ts";
import * as nodes from "./nodes.ts";
import * as notices from "./notices.ts";
import { cancelJobs, queueDelivered, retryJobs, setPriority } from "./operate.ts";
import * as overview from "./overview.ts";
import { projectKeys, useProjectKey } from "./project-keys.ts";
import { linkPseudonyms, releaseJob, releaseOf } from "./release.ts";
import type { Session } from "./session.ts";
import * as standing from "./standing.ts";
import * as studyReports from "./study-reports.ts";
import { submitCohort } from "./submit.ts";
import * as tasks from "./tasks.ts";
import { throughput } from "./throughput.ts";
import { thumbnail } from "./thumbnails.ts";
import * as withdrawals from "./withdrawals.ts";
import { withdrawnDigests } from "./withdrawn-list.ts";
import { askPlaces, discardUnasked, heldIntakeOf, isAwaited, placesToClear, settlePlace } from "./withdrawn-places.ts";
import * as work from "./work.ts";

/** What the store can be asked, by name; disposing is not a question. */
export type MethodName = Exclude<keyof Store, symbol | "onWork">;

/** What each database does in its own way. */
export type OwnMethodName = "backUp" | "emptyJournal";

type SharedMethodName = Exclude<MethodName, OwnMethodName>;

type Method<N extends MethodName> = (
  session: Session,
  ...args: Parameters<Store[N]>
) => Promise<Awaited<ReturnType<Store[N]>>>;

/** Every method over one session; each call is a transaction's part of its own. */
export const methods: { readonly [N in SharedMethodName]: Method<N> } = {
  submitCohort,
  listCohorts: listing.listCohorts,
  cohortStatus: look.cohortStatus,
  cohortColumns: look.cohortColumns,
  exportRows: look.exportRows,
  listJobs: listing.listJobs,
  job: look.job,
  jobsOfKey: look.jobsOfKey,
  claimsOfJob: look.claimsOfJob,
  cohortsOf: look.cohortsOf,
  cohortsOfEach: look.cohortsOfEach,
  events: look.events,
  ledger: look.ledger,
  deliveries: look.deliveries,
  claim: work.claim,
  nextDueAtMs: work.nextDueAtMs,
  renew: work.renew,
  change: work.change,
  located,
  recordDelivery: work.recordDelivery,
  settle: work.settle,
  settleAndClaim: work.settleAndClaim,
  retryJobs,
  cancelJobs,
  setPriority,
  queueDelivered,
  releaseJob,
  releaseOf,
  releaseLeases: work.releaseLeases,
  useProjectKey,
  projectKeys,
  archiveCondition: archives.archiveCondition,
  setArchiveControls: archives.setArchiveControls,
  wakeHeldBack: archives.wakeHeldBack,
  admitToArchive: archives.admitToArchive,
  judgeArchive: archives.judgeArchive,
  takeStudySlot: archives.takeStudySlot,
  spareArchive: archives.spareArchive,
  linkPseudonyms,
  addTask: tasks.addTask,
  claimTask: tasks.claimTask,
  renewTask: tasks.renewTask,
  settleTask: tasks.settleTask,
  cancelTasks: tasks.cancelTasks,
  releaseTasks: tasks.releaseTasks,
  listTasks: tasks.listTasks,
  addInboxMessage: inbox.addInboxMessage,
  claimInboxMessage: inbox.claimInboxMessage,
  renewInboxMessage: inbox.renewInboxMessage,
  settleInboxMessage: inbox.settleInboxMessage,
  releaseInboxMessages: inbox.releaseInboxMessages,
  unfinishedInboxMessages: inbox.unfinishedInboxMessages,
  nextInboxDueAtMs: inbox.nextInboxDueAtMs,
  forgetInboxMessages: inbox.forgetInboxMessages,
  finishedInboxMessages: inbox.finishedInboxMessages,
  removeInboxMessages: inbox.removeInboxMessages,
  listInboxMessages: inbox.listInboxMessages,
  ...exams,
  ...acquisitions,
  ...access,
  ...overview,
  ...notices,
  ...intake,
  // What is taken in stands on a node.
  ...nodes,
  giveUpNode,
  returnNode,
  ...commitments,
  ...standing,
  ...withdrawals,
  askPlaces,
  withdrawnDigests,
  discardUnasked,
  isAwaited,
  placesToClear,
  settlePlace,
  heldIntakeOf,
  codeCounts,
  retryFailures,
  throughput,
  thumbnail,
  studyReport: studyReports.studyReport,
  archiveVolumes: studyReports.archiveVolumes,
  appendAudit,
  auditRecords,
  auditHeads,
  openLinkage,
  linkageOf,
  listLinks,
  destroyLinkage,
  studyIsNeeded: async (session, studyInstanceUid) =>
    (await session.get("studyIsNeeded", { studyInstanceUid }))?.needed === 1,
};

/** Methods that write nothing: they need no transaction of their own. */
export const READS: ReadonlySet<MethodName> = new Set([
  "listCohorts",
  "cohortStatus",
  "cohortColumns",
  "exportRows",
  "listJobs",
  "job",
  "jobsOfKey",
  "claimsOfJob",
  "cohortsOf",
  "cohortsOfEach",
  "events",
  "ledger",
  "deliveries",
  "nextDueAtMs",
  "releaseOf",
  "projectKeys",
  "auditRecords",
  "auditHeads",
  "backUp",
  "archiveCondition",
  "listTasks",
  "unfinishedInboxMessages",
  "nextInboxDueAtMs",
  "finishedInboxMessages",
  "listInboxMessages",
  "studyIsNeeded",
  "scanTask",
  "listScanTasks",
  "wantedScanTasks",
  "scanResult",
  "scanResults",
  "listScanResults",
  "scanSequence",
  "listScanSequences",
  "scanDevice",
  "listScanDevices",
  "scanTokenOf",
  "listScanTokens",
  "acquisition",
  "listAcquisitions",
  "lapsedAcquisitions",
  "acquisitionEvents",
  "transfer",
  "transfersOf",
  "openTransfers",
  "stuckTransfers",
  "publishedTransfersBefore",
  "scanBytesOf",
  "tokenOfHash",
  "listTokens",
  "jobCounts",
  "oldestWaitingAtMs",
  "jobChanges",
  "listDeliveries",
  "listWorkers",
  "noticeMarks",
  "noticeQueues",
  "nextIntakeDueAtMs",
  "listIntake",
  "listStandingCohorts",
  "standingCohort",
  "dueStandingCohorts",
  "standingRuns",
  "standingTroubles",
  "knownStudies",
  "intakeContents",
  "intakeFiles",
  "nextCommitmentDueAtMs",
  "committableClasses",
  "codeCounts",
  "throughput",
  "thumbnail",
  "studyReport",
  "archiveVolumes",
  "linkageOf",
  "listLinks",
  "listNodes",
  "nodeOfStudy",
  "intakeNodeOf",
  "withdrawal",
  "openWithdrawals",
  "findWithdrawable",
  "isAwaited",
  "withdrawnDigests",
  "placesToClear",
  "heldIntakeOf",
  "isWithdrawn",
  "emptyJournal",
] satisfies MethodName[]);
