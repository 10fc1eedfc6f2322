import type { Study } from "../../api/documents.ts";
import { StateBadge } from "../../components/badge.tsx";
import type { Column } from "../../components/data-table.tsx";
import { numberText } from "../../components/numbers.ts";
import { Time } from "../../components/time.tsx";
import { Link } from "../../routing/router.tsx";

/** Studies as the rows of a list. */
export const STUDY_COLUMNS: readonly Column<Study>[] = [
  { title: "Study", cell: ({ id }) => <Link to={`/studies/${id}`}>{id}</Link> },
  { title: "State", cell: ({ state, stage }) => <StateBadge state={state} stage={stage} /> },
  { title: "Reason", cell: (study) => <Reason study={study} /> },
  {
    title: "Received",
    cell: ({ received, expected }) => `${numberText(received)} / ${expected === null ? "?" : numberText(expected)}`,
    isNumber: true,
  },
  { title: "Delivered", cell: ({ delivered }) => numberText(delivered), isNumber: true, isMinor: true },
  { title: "Archive", cell: ({ archive }) => archive ?? "–", isMinor: true },
  {
    title: "When",
    cell: ({ finishedAt, waitingUntil }) => <Time at={finishedAt ?? waitingUntil} />,
    isMinor: true,
  },
];

/** The code, and what it means for who does not know it by heart. */
function Reason({ study: { code, message } }: { readonly study: Study }) {
  if (code === undefined) return <span class="quiet">–</span>;
  return (
    <>
      <code>{code}</code>
      <span class="reason">{message}</span>
    </>
  );
}
