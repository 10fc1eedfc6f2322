import { METRICS } from "../src/units/metrics.ts";
import { tableCell } from "./table-cell.ts";

/** docs/metrics.md: every metric, from its table. */
export function metricsPage(): string {
  const rows = Object.entries(METRICS).map(
    ([name, { kind, labels, help }]) =>
      `| \`radferry_${name}\` | ${kind} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${tableCell(help)} |`,
  );
  return `# Metrics

A running service answers \`GET /metrics\` without a token, in the text format of Prometheus. Units are seconds and bytes. Labels are names of the
settings and words of the program: nothing in them tells a patient or a study.

| metric | kind | labels | meaning |
|---|---|---|---|
${rows.join("\n")}

What tells an operator most:

- \`radferry_oldest_queued_seconds\` grows while \`radferry_archive_window_open\` is 1: nothing is fetched though it may be.
- \`radferry_retrievals_total\` with the outcome \`transient\` grows faster than with \`answered\`: an archive is in trouble.
- \`radferry_studies\` with the state \`quarantined\` or \`held\` is not 0: a person has to decide.
- \`radferry_scan_files_waiting\` stays above 0 for minutes: measured data is safe in the lake, and nobody is told of it.
- \`radferry_scan_files_stuck\` is not 0: nobody will be told of it before a person looks; \`radferry scanner task show\` says why, \`radferry scanner task release\` has it tried once more.
- \`radferry_staging_free_bytes\` comes near the reserve of the settings: retrieval is about to pause.
- \`radferry_store_writable\` is 0: all work stands still, most often as the disk is full that has the store.

\`GET /health/live\` answers while the process runs; \`GET /health/ready\` is 503 when the store does not answer or cannot be written, staging's disk has less
room than its reserve, or every archive rests after failures. Each check says what is wrong by a code of [the errors](errors.md). An archive that
is paused, or outside its windows, is as it should be.
`;
}
