import type { Study } from "../../api/documents.ts";
import { Badge, type Tone } from "../../components/badge.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { FullTime, Time } from "../../components/time.tsx";
import type { Delivery, SeriesLedger, StudyEvent } from "./documents.ts";
import { detailText, proofText, reasonText } from "./words.ts";

/** What happened, the last first. */
export function StudyTimeline({ events }: { readonly events: readonly StudyEvent[] }) {
  if (events.length === 0) return <p class="empty">No step of it has ended yet.</p>;
  return (
    <ol class="timeline">
      {events.toReversed().map(({ at, event, detail }, index) => (
        <li key={events.length - index}>
          <span class="timeline-event">{event}</span>
          <span class="timeline-detail">{detailText(detail)}</span>
          <FullTime at={at} />
        </li>
      ))}
    </ol>
  );
}

function numbers(title: string, count: (series: SeriesLedger) => number, isMinor = false): Column<SeriesLedger> {
  return { title, isNumber: true, isMinor, cell: (series) => numberText(count(series)) };
}

const SERIES_COLUMNS: readonly Column<SeriesLedger>[] = [
  { title: "Series", cell: ({ series }) => series },
  numbers("Listed", ({ expected }) => expected),
  numbers("Received", ({ received }) => received),
  numbers("De-identified", ({ deidentified }) => deidentified),
  numbers("Left out", ({ excluded }) => excluded),
  numbers("Delivered", ({ delivered }) => delivered),
  {
    title: "Why left out",
    cell: ({ exclusions }) =>
      Object.entries(exclusions)
        .map(([reason, count]) => `${count} ${reasonText(reason)}`)
        .join(", ") || "–",
  },
];

/** The account of every series: from listed to delivered nothing is lost unsaid. */
export function SeriesTable({ series }: { readonly series: readonly SeriesLedger[] }) {
  return (
    <DataTable
      caption="Account of the series"
      columns={SERIES_COLUMNS}
      items={series}
      keyOf={(each) => `${each.series}`}
      empty="No instance is known yet."
    />
  );
}

const DELIVERY_TONES: Readonly<Record<Delivery["state"], Tone>> = {
  sending: "busy",
  sent: "busy",
  confirmed: "good",
  failed: "bad",
};

const RECEIPT_COLUMNS: readonly Column<Delivery>[] = [
  { title: "Destination", cell: ({ destination }) => destination },
  { title: "State", cell: ({ state }) => <Badge tone={DELIVERY_TONES[state]}>{state}</Badge> },
  { title: "Instances", isNumber: true, cell: ({ instances }) => numberText(instances) },
  { title: "Proof", cell: ({ proof, code }) => (code === undefined ? proofText(proof) : <code>{code}</code>) },
  { title: "When", cell: ({ at }) => <Time at={at} /> },
];

/** What every destination was proven to hold. */
export function ReceiptTable({ study: { deliveries, finishedAt } }: { readonly study: Study }) {
  return (
    <DataTable
      caption="Receipts of the destinations"
      columns={RECEIPT_COLUMNS}
      items={deliveries ?? []}
      keyOf={({ destination }) => destination}
      empty={finishedAt === undefined ? "Nothing was delivered yet." : "Nothing was delivered."}
    />
  );
}

/** What its last run was let go with. */
export function ReleaseNote({ release }: { readonly release: NonNullable<Study["release"]> }) {
  const { at, by, reason, leftOut, allowedTags } = release;
  return (
    <p>
      Released <Time at={at} /> by {by}: “{reason}”. {countText(leftOut, "instance")} left out; an identifier may stand
      in {allowedTags.length === 0 ? "no tag" : allowedTags.join(", ")}.
    </p>
  );
}
