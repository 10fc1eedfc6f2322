import { z } from "zod";
import * as cohorts from "./cohort-schemas.ts";
import * as flip from "./flip-schemas.ts";
import * as inquiries from "./inquiry-schemas.ts";
import * as insight from "./insight-schemas.ts";
import * as intake from "./intake-schemas.ts";
import * as linkage from "./linkage-schemas.ts";
import * as notifications from "./notification-schemas.ts";
import * as scanners from "./scanner-schemas.ts";
import * as site from "./site-schemas.ts";
import * as standing from "./standing-schemas.ts";
import * as studies from "./study-schemas.ts";
import * as withdrawals from "./withdrawal-schemas.ts";

/** RFC 9457, with the codes of the registry. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  class: z.enum(["transient", "ambiguous", "permanent"]),
  remedy: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  problems: z
    .array(
      z.object({
        in: z.enum(["path", "query", "body", "header", "settings"]),
        at: z.string(),
        message: z.string(),
        line: z.int().optional(),
      }),
    )
    .optional(),
});

/** Documents by the names that they have in the page. */
export const schemas = {
  Archive: site.archive,
  ArchiveList: site.archiveList,
  AuditPage: site.auditPage,
  AuditVerdict: site.auditVerdict,
  Check: inquiries.check,
  ChannelList: notifications.channelList,
  ChannelTest: notifications.channelTest,
  Cohort: cohorts.cohort,
  CohortCheck: cohorts.checked,
  CohortPage: cohorts.cohortPage,
  CohortStatus: cohorts.cohortStatus,
  DeidReport: insight.deidReport,
  DeliveryPage: studies.deliveryPage,
  Echo: site.echo,
  FailureList: insight.failureList,
  FlipCandidates: flip.flipCandidates,
  FlipRetrieval: flip.flipRetrieval,
  FlipStatus: flip.flipStatus,
  FlipTaskPage: flip.flipTaskPage,
  Identity: studies.identity,
  Inquiry: inquiries.inquiry,
  InquiryItemPage: inquiries.inquiryItemPage,
  InquiryList: inquiries.inquiryList,
  IntakeDecision: intake.intakeDecision,
  IntakePage: intake.intakePage,
  Ledger: studies.ledger,
  LinkageDestroyed: linkage.linkageDestroyed,
  Links: linkage.links,
  Me: site.me,
  NewToken: site.newToken,
  NodeList: site.nodeList,
  NodeForgotten: site.nodeForgotten,
  Overview: site.overview,
  Plan: inquiries.plan,
  Project: site.project,
  ProjectList: site.projectList,
  Release: studies.released,
  Reload: site.reload,
  ScanResultPage: scanners.scanResultPage,
  ScanResultVerdict: scanners.scanResultVerdict,
  ScanSequenceList: scanners.scanSequenceList,
  ScanTask: scanners.scanTask,
  ScanTaskPage: scanners.scanTaskPage,
  ScannerList: scanners.scannerList,
  Settings: site.settings,
  ShownScanTask: scanners.shownScanTask,
  Study: studies.study,
  StudyPage: studies.studyPage,
  RemovedStandingCohort: standing.removedStanding,
  Search: inquiries.search,
  SearchEstimate: inquiries.searchEstimate,
  StandingCohort: standing.standing,
  StandingCohortDetail: standing.standingDetail,
  StandingCohortList: standing.standingList,
  FoundStudyPage: inquiries.foundStudyPage,
  SubmittedCohort: cohorts.submitted,
  Throughput: insight.throughput,
  Token: site.token,
  TokenList: site.tokenList,
  WorkerList: site.workerList,
  Withdrawal: withdrawals.withdrawal,
} as const satisfies Record<string, z.ZodType>;
