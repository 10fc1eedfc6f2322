import { type InquiryItem, useInquiry } from "../../api/use-inquiry.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { bytesText, countText, numberText } from "../../components/numbers.ts";
import { Time } from "../../components/time.tsx";
import { InquiryLine } from "./inquiry-line.tsx";

type PlannedRow = Extract<InquiryItem, { readonly outcome: string }>;
type PlanSummary = NonNullable<Extract<ReturnType<typeof useInquiry>["inquiry"], { kind: "plan" }>["summary"]>;

const TONES: { readonly [O in PlannedRow["outcome"]]: Tone } = {
  matched: "good",
  joined: "calm",
  delivered: "calm",
  excluded: "calm",
  "waits-for-a-person": "warn",
  absent: "bad",
  ambiguous: "bad",
  "opted-out": "warn",
  refused: "bad",
  "not-asked": "warn",
};

const unknownOr = (count: number | null): string => (count === null ? "?" : numberText(count));

const COLUMNS: readonly Column<PlannedRow>[] = [
  { title: "Row", cell: ({ number }) => numberText(number), isNumber: true },
  { title: "Outcome", cell: ({ outcome }) => <Badge tone={TONES[outcome]}>{outcome}</Badge> },
  { title: "Code", cell: ({ code }) => (code === null ? "–" : <code>{code}</code>) },
  { title: "Studies", cell: ({ studies }) => numberText(studies), isNumber: true },
  { title: "Series", cell: ({ series }) => unknownOr(series), isNumber: true, isMinor: true },
  { title: "Instances", cell: ({ instances }) => unknownOr(instances), isNumber: true },
  { title: "Archive", cell: ({ archive }) => archive ?? "–", isMinor: true },
];

/** What submitting a file would come to, by the archives' own word: asked for, as it takes them time. */
export function CohortPlan({ file, project }: { readonly file: File; readonly project: string }) {
  const { inquiry, items, begin, cancel } = useInquiry();
  const rows = items.filter((item): item is PlannedRow => "outcome" in item);
  const summary = inquiry?.kind === "plan" ? inquiry.summary : null;
  return (
    <section class="findings" aria-label="Plan">
      <div class="actions">
        <Button onClick={() => begin("/cohorts/plan", { query: { project }, body: file })}>
          Ask the archives what it would come to
        </Button>
        {inquiry?.state === "running" && <Button onClick={cancel}>Stop asking</Button>}
      </div>
      <InquiryLine inquiry={inquiry} unit="row" />
      {summary !== null && summary !== undefined && <PlanFacts summary={summary} />}
      {rows.length > 0 && (
        <DataTable
          caption="What each row would come to"
          columns={COLUMNS}
          items={rows}
          keyOf={({ number }) => `${number}`}
        />
      )}
    </section>
  );
}

function PlanFacts({ summary }: { readonly summary: PlanSummary }) {
  const { studies, series, instances, studiesWithoutCount, disk, archives } = summary;
  return (
    <ul>
      <li>
        <strong>{countText(studies, "study", "studies")}</strong> to retrieve, {numberText(series)} series,{" "}
        {countText(instances, "instance")}
        {studiesWithoutCount > 0 &&
          `, and of ${numberText(studiesWithoutCount)} more the archive does not say how many`}
      </li>
      <li>
        about {bytesText(disk.sizeBytes)} of disk for the originals
        {disk.freeBytes !== null && ` of ${bytesText(disk.freeBytes)} free`}
        {disk.fits === false && <Badge tone="bad">more than there is room for at once</Badge>}
        {disk.basis.some(({ measuredInstances }) => measuredInstances === 0) && " (in part by an assumption)"}
      </li>
      {archives.map((archive) => (
        <li key={archive.name}>
          {archive.name}: {countText(archive.studies, "study", "studies")}
          {archive.paused ? ", paused" : archive.isOpen ? ", open" : ", closed"}
          {archive.nextOpening !== null && (
            <>
              , opens <Time at={archive.nextOpening} />
            </>
          )}
          {archive.doneAt !== null && archive.studies > 0 && (
            <>
              , done by <Time at={archive.doneAt} /> at its rate
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
