import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import type { StatementName } from "../sql/session.ts";
import { statements } from "../sql/statements.ts";
import { migrate } from "./schema.ts";

const database = new DatabaseSync(":memory:");
migrate(database, 0);

function planOf(name: StatementName): string {
  const steps = database.prepare(`EXPLAIN QUERY PLAN ${statements[name]}`).all();
  return steps.map((step) => String(step.detail)).join("\n");
}

/** What each frequent statement must go by. A primary key that is the rowid is `INTEGER PRIMARY KEY`; of a table without one, `PRIMARY KEY`. */
const HOT: readonly (readonly [StatementName, ...string[]])[] = [
  ["mostUrgent", "study_jobs_due", "claim_turns USING INTEGER PRIMARY KEY (rowid=?)"],
  ["claim", "study_jobs_due (priority=? AND project>?)", "study_jobs_due (priority=?)"],
  ["wakeWaiting", "study_jobs_waiting (due_at<?)"],
  ["wakeAbandoned", "study_jobs_leased (lease_until<?)"],
  ["releaseLeases", "study_jobs_leased"],
  ["nextDue", "study_jobs_waiting", "study_jobs_leased"],
  ["renew", "study_jobs USING INDEX sqlite_autoindex_study_jobs_1 (id=?)"],
  ["leased", "study_jobs USING INDEX sqlite_autoindex_study_jobs_1 (id=?)"],
  ["jobsOfKey", "study_keys USING PRIMARY KEY (project=? AND key=?)"],
  ["claimsOfJob", "request_jobs_of_job (job_no=?)", "job_attempts USING PRIMARY KEY (job_no=?)"],
  ["keysOfJob", "study_keys_of_job (job_no=?)"],
  ["jobOfStudy", "study_jobs_of_study (study_instance_uid=? AND project=?)"],
  ["studyIsNeeded", "study_jobs_of_study (study_instance_uid=?)"],
  ["jobByNumber", "study_jobs USING INTEGER PRIMARY KEY (rowid=?)"],
  ["changeJob", "study_jobs USING INTEGER PRIMARY KEY (rowid=?)"],
  ["settle", "study_jobs USING INTEGER PRIMARY KEY (rowid=?)"],
  ["endAttempt", "job_attempts USING PRIMARY KEY (job_no=?)"],
  ["ledger", "instances USING PRIMARY KEY (job_no=?)"],
  ["ledgerExcluded", "instances USING PRIMARY KEY (job_no=? AND sop_instance_uid=?)"],
  ["ledgerDeidentified", "instances USING PRIMARY KEY (job_no=? AND sop_instance_uid=?)"],
  ["ledgerDelivered", "instances USING PRIMARY KEY (job_no=? AND sop_instance_uid=?)"],
  ["deleteInstances", "instances USING PRIMARY KEY (job_no=?)"],
  ["unlinkRequests", "request_jobs_of_job (job_no=?)"],
  ["unlinkCohorts", "cohort_jobs_of_job (job_no=?)"],
  ["copyRequests", "request_jobs_of_job (job_no=?)"],
  ["forwardDissolved", "dissolved_jobs_of_job (job_no=?)"],
  ["deleteEvents", "job_events_of_job (job_no=?)"],
  ["jobNumber", "study_jobs USING", "dissolved_jobs USING PRIMARY KEY (id=?)"],
  ["cohortByName", "cohorts USING INDEX"],
  ["currentProjectKey", "project_keys_of_project (project=?)"],
  ["projectKeys", "project_keys_of_project (project=?)"],
  ["projectHasDelivered", "study_jobs_by_project"],
  ["listCohorts", "cohorts USING INTEGER PRIMARY KEY (rowid>?)"],
  ["listNewestCohorts", "cohorts USING INTEGER PRIMARY KEY (rowid<?)"],
  [
    "cohortCounts",
    "cohort_state_counts USING PRIMARY KEY (cohort_no=?)",
    "own EXISTS USING PRIMARY KEY (cohort_no=? AND job_no=?)",
  ],
  ["listRunningJobsOfCohort", "study_jobs_leased", "own EXISTS USING PRIMARY KEY (cohort_no=? AND job_no=?)"],
  ["exportRows", "requests USING INDEX sqlite_autoindex_requests_1 (cohort_no=? AND row_number>?)"],
  ["jobsOfRequest", "request_jobs USING PRIMARY KEY (request_no=?)", "study_jobs USING INTEGER PRIMARY KEY (rowid=?)"],
  ["jobOfId", "study_jobs USING COVERING INDEX sqlite_autoindex_study_jobs_1 (id=?)"],
  ["listJobs", "study_jobs USING INTEGER PRIMARY KEY (rowid>?)"],
  ["listJobsByState", "study_jobs_by_state (state=? AND job_no>?)"],
  ["listRunningJobs", "study_jobs_leased"],
  ["listRunningJobsOfProject", "study_jobs_leased"],
  ["jobCounts", "study_jobs_leased"],
  ["listJobsByProject", "study_jobs_by_project (project=? AND job_no>?)"],
  ["listJobsByProjectAndState", "study_jobs_by_project_and_state (project=? AND state=? AND job_no>?)"],
  [
    "listJobsOfCohort",
    "cohort_jobs USING PRIMARY KEY (cohort_no=? AND job_no>?)",
    "study_jobs USING INTEGER PRIMARY KEY (rowid=?)",
  ],
  [
    "listJobsOfCohortByState",
    "cohort_jobs_by_state (cohort_no=? AND state=? AND job_no>?)",
    "study_jobs USING INTEGER PRIMARY KEY (rowid=?)",
  ],
  [
    "listJobsOfCohortByCodeAndState",
    "cohort_jobs_by_code (cohort_no=? AND code=? AND state=? AND job_no>?)",
    "study_jobs USING INTEGER PRIMARY KEY (rowid=?)",
  ],
  ["listCohortsOfProject", "cohorts_by_project (project=? AND cohort_no>?)"],
  ["listNewestCohortsOfProject", "cohorts_by_project (project=? AND cohort_no<?)"],
  ["listDeliveriesByProject", "deliveries_by_project (project=? AND (job_no,destination)>(?,?))"],
  [
    "listDeliveriesByProjectAndState",
    "deliveries_by_project_and_state (project=? AND state=? AND (job_no,destination)>(?,?))",
  ],
  ["standingStudy", "standing_studies USING PRIMARY KEY (standing_no=? AND study_instance_uid=?)"],
  ["standingRuns", "standing_runs", "(standing_no=? AND number<?)"],
  ["runningStandingRun", "standing_runs_running (standing_no=?)"],
  ["standingTroubles", "standing_runs_in_trouble (trouble>?)"],
  ["cohortsOfJob", "cohort_jobs USING", "cohorts USING INTEGER PRIMARY KEY"],
  [
    "cohortsOfJobs",
    "study_jobs USING COVERING INDEX sqlite_autoindex_study_jobs_1 (id=?)",
    "cohort_jobs_of_job (job_no=?)",
    "cohorts USING INTEGER PRIMARY KEY",
  ],
  ["events", "job_events_of_job (job_no=?)"],
  ["reasonsOfJob", "instances USING PRIMARY KEY (job_no=?)"],
  ["deliveries", "deliveries USING PRIMARY KEY (job_no=?)"],
  ["studyReport", "study_reports USING INDEX sqlite_autoindex_study_reports_1 (job_no=? AND state=?)"],
  ["deleteStudyReports", "study_reports USING"],
  ["auditRecords", "audit_events USING INTEGER PRIMARY KEY (rowid>?)"],
  ["pseudonymLink", "pseudonym_links USING PRIMARY KEY (project=? AND key_id=? AND kind=? AND replacement=?)"],
  ["deleteReleases", "releases_of_job (job_no=?)"],
  ["releaseOfJob", "releases USING INTEGER PRIMARY KEY (rowid=?)"],
  ["waitingTaskLike", "tasks_of_subject (kind=? AND subject=?)"],
  ["claimTask", "tasks_waiting (kind=? AND due_at<?)", "tasks_running (kind=? AND subject=?)"],
  ["wakeAbandonedTasks", "tasks_running (kind=?)"],
  ["renewTask", "tasks USING INDEX sqlite_autoindex_tasks_1 (id=?)"],
  ["cancelTasks", "tasks_of_subject (kind=? AND subject=?)"],
  ["listTasks", "tasks_of_subject (kind=? AND subject=? AND task_no<?)"],
  ["listTasksOfKind", "tasks_of_kind (kind=? AND task_no<?)"],
  ["joinInboxMessage", "inbox_messages_unfinished (queue=? AND digest=?)"],
  ["claimInboxMessage", "inbox_messages_waiting (queue=?)"],
  ["wakeAbandonedInboxMessages", "inbox_messages_running (lease_until<?)"],
  ["renewInboxMessage", "inbox_messages USING INDEX sqlite_autoindex_inbox_messages_1 (id=?)"],
  ["unfinishedInboxMessages", "inbox_messages_by_state (queue=? AND state=?)"],
  ["nextInboxDue", "inbox_messages_due (queue=?)", "inbox_messages_running"],
  ["listInboxMessages", "inbox_messages_by_state (queue=? AND state=?)"],
  ["finishedInboxMessages", "inbox_messages_by_state (queue=? AND state=? AND message_no>?)"],
  ["scanTask", "scan_tasks USING INDEX sqlite_autoindex_scan_tasks_1 (id=?)"],
  ["changeScanTask", "scan_tasks USING INDEX sqlite_autoindex_scan_tasks_1 (id=?)"],
  ["wantedScanTasks", "scan_tasks_wanted"],
  ["scanResults", "scan_results_of_task (task_id=?)"],
  ["scanResultNumber", "scan_results USING COVERING INDEX sqlite_autoindex_scan_results_1 (id=?)"],
  ["listScanResults", "scan_results USING INTEGER PRIMARY KEY (rowid>?)"],
  ["listScanResultsOfTask", "scan_results_of_task (task_id=? AND result_no>?)"],
  ["scanResultOfTransfer", "scan_results USING INDEX sqlite_autoindex_scan_results_2 (transfer_id=?)"],
  ["scanTokenOf", "scan_tokens USING INDEX sqlite_autoindex_scan_tokens_2 (token_hash=?)"],
  ["claimAcquisition", "acquisitions USING"],
  ["changeAcquisition", "acquisitions USING INDEX sqlite_autoindex_acquisitions_1 (id=?)"],
  ["listAcquisitionsOfTask", "acquisitions_of_task (task_id=?)"],
  ["renewAcquisitionsOf", "acquisitions_of_device (device_id=?)"],
  ["lapsedAcquisitions", "acquisitions_of_device"],
  ["transferLike", "transfers_of_acquisition (acquisition_id=?)"],
  ["openTransfers", "transfers_open"],
  ["publishedTransfersBefore", "transfers_published (updated_at<?)"],
  ["scanBytesOf", "acquisitions_by_device (device_id=?)", "transfers_of_acquisition (acquisition_id=?)"],
  ["tokenOfHash", "api_tokens USING INDEX sqlite_autoindex_api_tokens_2 (hash=?)"],
  ["tokenOfName", "api_tokens_by_name (kind=? AND name=?)"],
  ["revokeSessions", "api_tokens_of_parent (parent=?)"],
  ["forgetSessions", "api_tokens_ending (kind=? AND expires_at<?)"],
  ["requestOfKey", "api_requests USING INDEX sqlite_autoindex_api_requests_1 (asker=? AND key=?)"],
  ["forgetOldRequests", "api_requests_by_age (begun_at<?)"],
  ["forgetManyRequests", "api_requests USING INTEGER PRIMARY KEY (rowid<?)"],
  ["claimNotices", "notices USING INTEGER PRIMARY KEY (rowid=?)", "notices_due (channel=? AND due_at<?)"],
  ["waitingNotices", "notices_due (channel=?)"],
  ["forgetNotice", "notices USING INDEX sqlite_autoindex_notices_1 (id=?)"],
  ["postponeNotice", "notices USING INDEX sqlite_autoindex_notices_1 (id=?)"],
  ["forgetNoticesOfChannel", "notices_due (channel=?)"],
  ["forgetOldNotices", "notices_by_age (created_at<?)"],
  ["openCommitments", "sqlite_autoindex_intake_commitments_1 (calling_ae_title=?)"],
  ["nextCommitmentDue", "intake_commitments_due"],
  ["claimCommitments", "intake_commitments_due (due_at<?)"],
  ["keptInstance", "intake_instances_by_sop (sop_instance_uid=?)", "study USING INTEGER PRIMARY KEY (rowid=?)"],
  ["deliveredInstance", "intake_delivered USING PRIMARY KEY (sop_instance_uid=?)"],
  ["noteDelivered", "study USING INTEGER PRIMARY KEY", "kept USING PRIMARY KEY (study_no=?", "line USING PRIMARY KEY"],
  ["forgetDelivered", "intake_delivered_by_age (last_at<?)"],
  ["oldestOfState", "study_jobs_by_state (state=?)"],
  ["oldestOfProjectAndState", "study_jobs_by_project_and_state (project=? AND state=?)"],
  ["jobChanges", "job_changes USING INTEGER PRIMARY KEY (rowid>?)", "study_jobs USING INTEGER PRIMARY KEY (rowid=?)"],
  ["listDeliveries", "deliveries USING PRIMARY KEY ((job_no,destination)>(?,?))"],
  ["listDeliveriesByState", "deliveries_by_state (state=? AND (job_no,destination)>(?,?))"],
  ["listJobsByCode", "study_jobs_by_code (code=? AND job_no>?)"],
  ["listJobsByCodeAndState", "study_jobs_by_code_and_state (code=? AND state=? AND job_no>?)"],
  ["listJobsByProjectAndCode", "study_jobs_by_project_and_code (project=? AND code=? AND job_no>?)"],
  [
    "listJobsByProjectCodeAndState",
    "study_jobs_by_project_code_and_state (project=? AND code=? AND state=? AND job_no>?)",
  ],
  ["failuresOfCode", "study_jobs_by_code_and_state (code=? AND state=? AND job_no>?)"],
  ["failuresOfProject", "study_jobs_by_project_code_and_state (project=? AND code=? AND state=? AND job_no>?)"],
  ["failuresOfCohort", "cohort_jobs_by_code (cohort_no=? AND code=? AND state=? AND job_no>?)"],
  ["throughput", "throughput USING PRIMARY KEY (span=? AND started_at>?)"],
  ["forgetThroughput", "throughput USING PRIMARY KEY (span=? AND started_at<?)"],
  ["thumbnail", "thumbnails USING INDEX sqlite_autoindex_thumbnails_1 (job_no=?)"],
  ["forgetThumbnails", "thumbnails USING INTEGER PRIMARY KEY (rowid<?)"],
  ["retryableOfCohort", "cohort_jobs_by_state (cohort_no=? AND state=?)"],
  ["prioritisableOfCohort", "own USING", "study_jobs USING INTEGER PRIMARY KEY (rowid=?)", "other USING"],
  ["linkageKey", "linkage_keys USING PRIMARY KEY (project=?)"],
  ["releaseLeasesOf", "study_jobs_leased", "own USING PRIMARY KEY (job_no=? AND lease_token=?)"],
  ["forgetLapsedPermits", "permits USING PRIMARY KEY (resource=?)"],
  ["countOtherPermits", "permits USING PRIMARY KEY (resource=?)"],
  ["renewPermits", "permits_of_node (node=?)"],
  ["returnPermit", "permits USING PRIMARY KEY (resource=? AND holder=?)"],
  ["returnPermitsOf", "permits_of_node (node=?)"],
  ["giveUpPlaces", "withdrawn_places_waiting (node=?)"],
  ["awaitPlacesAgain", "withdrawn_places_given_up (node=?)"],
  ["reopenWithdrawalsOf", "withdrawn_places_given_up (node=?)"],
  ["listLinks", "links_of_project (project=? AND link_no>?)"],
  ["linksOfPseudonym", "links_of_pseudonym (project=? AND pseudonym=? AND link_no>?)"],
  ["linksOfPatient", "links_of_patient (project=? AND patient_digest=? AND link_no>?)"],
  ["cancellableOfCohort", "own USING COVERING INDEX cohort_jobs_by_state (cohort_no=? AND state=?)", "other USING"],
];

it.each(HOT.map(([name, ...indexes]) => ({ name, indexes })))("$name goes by its index", ({ name, indexes }) => {
  const plan = planOf(name);
  for (const index of indexes) expect(plan).toContain(index);
});

/** One row at most, or a table with a row for each version, counter or worker. */
const SMALL: readonly string[] = ["schemaVersion", "jobCounts", "codeCounts", "lastChange"];

it.each((Object.keys(statements) as StatementName[]).filter((name) => !SMALL.includes(name)))(
  "%s neither scans a table nor sorts",
  (name) => {
    const plan = planOf(name);
    // `releaseLeases` and `nextDue` walk a partial index, which holds only what runs or waits; what runs may be put in order.
    const walked = plan.replaceAll(/SCAN study_jobs USING (COVERING )?INDEX study_jobs_(leased|waiting|due)/g, "");
    expect(name.startsWith("listRunning") ? walked.replace("USE TEMP B-TREE FOR ORDER BY", "") : walked).not.toMatch(
      /SCAN (study_jobs|instances|requests|request_jobs|cohort_jobs|cohorts|study_keys|job_\w+|dissolved_jobs|deliveries|releases|audit_\w+|pseudonym_links|links|linkage_keys|tasks|inbox_messages|api_\\w+|due|busy|own|other)\b|TEMP B-TREE/,
    );
  },
);

it("keeps every index in use", () => {
  const indexes = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL").all();
  const plans = (Object.keys(statements) as StatementName[]).map(planOf).join("\n");
  expect(indexes.map(({ name }) => String(name)).filter((name) => !plans.includes(name))).toEqual([]);
});
