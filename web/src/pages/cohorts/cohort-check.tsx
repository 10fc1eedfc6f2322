import { apiUrl } from "../../api/client.ts";
import { mayDo } from "../../api/session-state.ts";
import { type InquiryItem, useInquiry } from "../../api/use-inquiry.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";
import { Link } from "../../routing/router.tsx";
import { InquiryLine } from "./inquiry-line.tsx";

type CheckedStudy = Extract<InquiryItem, { readonly verdict: string }>;

const TONES: { readonly [V in CheckedStudy["verdict"]]: Tone } = {
  "delivery-differs": "bad",
  "archive-has-more": "warn",
  "archive-has-less": "warn",
  unknown: "calm",
  "not-delivered": "calm",
  same: "good",
};

const COLUMNS: readonly Column<CheckedStudy>[] = [
  { title: "Study", cell: ({ job }) => <Link to={`/studies/${job}`}>{job}</Link> },
  { title: "Verdict", cell: ({ verdict }) => <Badge tone={TONES[verdict]}>{verdict}</Badge> },
  { title: "Archive", cell: archiveText },
  { title: "Destinations", cell: destinationsText },
  { title: "Queued", cell: ({ queued }) => (queued ? "yes" : "–"), isMinor: true },
];

function archiveText({ verdict, archive: { later, vanished, code } }: CheckedStudy): string {
  if (verdict === "not-delivered") return "–";
  if (code !== null) return code;
  if (later === null) return "does not tell";
  return later + (vanished ?? 0) === 0 ? "the same" : `${numberText(later)} later, ${numberText(vanished ?? 0)} gone`;
}

function destinationsText({ destinations }: CheckedStudy): string {
  const texts = destinations.map(({ name, present, expected, vanished, differing, code }) =>
    code === null
      ? `${name}: ${numberText(present)} of ${numberText(expected)}${vanished + differing > 0 ? `, ${numberText(vanished)} gone, ${numberText(differing)} others` : ""}`
      : `${name}: ${code}`,
  );
  return texts.length === 0 ? "–" : texts.join("; ");
}

/** Whether what a cohort brought is still so; and its evidence, to file away. */
export function CohortCheckCard({ cohort }: { readonly cohort: string }) {
  const { inquiry, items, begin, cancel } = useInquiry();
  if (!mayDo("operator")) return null;
  const studies = items.filter((item): item is CheckedStudy => "verdict" in item && item.verdict !== "same");
  const summary = inquiry?.kind === "check" ? inquiry.summary : null;
  const check = (queue: boolean) => begin(`/cohorts/${cohort}/check`, { body: { queue } });
  const same = summary?.verdicts.same ?? 0;
  return (
    <Card
      title="Afterwards"
      aside={
        <a class="button" href={apiUrl(`/cohorts/${cohort}/evidence`)} download={`${cohort}-evidence.zip`}>
          Signed evidence
        </a>
      }
    >
      <p class="quiet">Compares what the archives list and the destinations hold with what was delivered.</p>
      <div class="actions">
        <Button onClick={() => check(false)}>Check</Button>
        <Button onClick={() => check(true)}>Check, and queue the difference</Button>
        {inquiry?.state === "running" && <Button onClick={cancel}>Stop</Button>}
      </div>
      <InquiryLine inquiry={inquiry} unit="study" />
      {summary !== null && summary !== undefined && (
        <p>
          {countText(same, "study", "studies")} as delivered
          {summary.queued > 0 && `; ${countText(summary.queued, "study", "studies")} queued again`}.
        </p>
      )}
      {studies.length > 0 && (
        <DataTable caption="What is not as delivered" columns={COLUMNS} items={studies} keyOf={({ job }) => job} />
      )}
    </Card>
  );
}
