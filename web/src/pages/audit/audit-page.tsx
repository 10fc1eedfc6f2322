import "./audit.css";
import { useState } from "preact/hooks";
import { ask, LONG_WORK_MS } from "../../api/client.ts";
import type { ApiDocument } from "../../api/documents.ts";
import { Badge } from "../../components/badge.tsx";
import { Button } from "../../components/button.tsx";
import { type Column, PagedTable, usePages } from "../../components/data-table.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Card, Page } from "../../components/page.tsx";
import { FullTime } from "../../components/time.tsx";
import { Link } from "../../routing/router.tsx";

type AuditRecord = ApiDocument<"AuditPage">["items"][number];
type Verdict = ApiDocument<"AuditVerdict">;

const COLUMNS: readonly Column<AuditRecord>[] = [
  { title: "No.", isNumber: true, isMinor: true, cell: ({ number }) => numberText(number) },
  { title: "When", cell: ({ at }) => <FullTime at={at} /> },
  { title: "What", cell: (record) => <What record={record} /> },
  {
    title: "Who",
    cell: ({ actor: { name, kind, role } }) => (
      <>
        {name} <span class="quiet">{[kind, role].filter(Boolean).join(", ")}</span>
      </>
    ),
  },
  {
    title: "Hash",
    isMinor: true,
    cell: ({ hash }) => (
      <code class="short-hash" title={hash}>
        {hash.slice(0, 12)}
      </code>
    ),
  },
];

function What({ record: { event, codes, outcome, job, project, detail = {} } }: { readonly record: AuditRecord }) {
  const facts = Object.entries(detail).map(([name, value]) => `${name} ${value}`);
  return (
    <>
      <strong title={[codes.id.meaning, codes.type?.meaning].filter(Boolean).join(", ")}>{event}</strong>{" "}
      {outcome !== "success" && <Badge tone="bad">{outcome}</Badge>} {project}{" "}
      {job !== undefined && <Link to={`/studies/${job}`}>{job}</Link>}
      {facts.length > 0 && <div class="audit-facts">{facts.join(", ")}</div>}
    </>
  );
}

/** Who did what, the last first. To read it is written down too: it is asked for again only when somebody wants to. */
export function AuditPage() {
  const pages = usePages<AuditRecord>("/audit");
  const [verdict, setVerdict] = useState<Verdict>();
  const newestFirst = { ...pages, items: pages.items.toSorted((a, b) => b.number - a.number) };
  return (
    <Page
      title="Audit trail"
      actions={
        <>
          <Button
            kind="primary"
            onClick={async () => {
              setVerdict(undefined);
              setVerdict(await ask<Verdict>("/audit/verify", { method: "POST", timeoutMs: LONG_WORK_MS }));
            }}
          >
            Verify
          </Button>
          <Button onClick={pages.reload}>Look again</Button>
        </>
      }
    >
      <div role="status">{verdict !== undefined && <VerdictCard verdict={verdict} />}</div>
      <PagedTable
        caption="Records of the audit trail"
        columns={COLUMNS}
        pages={newestFirst}
        keyOf={({ number }) => String(number)}
        empty="Nothing was written down yet."
      />
    </Page>
  );
}

function VerdictCard({ verdict: { ok, records, head, findings } }: { readonly verdict: Verdict }) {
  return (
    <Card title="Verdict" aside={<Badge tone={ok ? "good" : "bad"}>{ok ? "as it was written" : "broken"}</Badge>}>
      <p>
        {ok
          ? `All ${countText(records, "record")} are as they were written, in their order, with none missing.`
          : `Of ${countText(records, "record")}, ${countText(findings.length, "finding")}. Keep a copy of the home as it is, and find out who could write to it.`}
      </p>
      {findings.length > 0 && (
        <ul>
          {findings.map(({ number, problem, where }) => (
            <li key={`${number} ${problem}`}>
              Record {number}: {problem}
              {where === undefined ? "" : ` (${where})`}
            </li>
          ))}
        </ul>
      )}
      <p class="quiet">
        Note this line in another place: whoever writes the whole trail anew cannot come back to it.{" "}
        <code>
          {records}:{head}
        </code>
      </p>
    </Card>
  );
}
