import { type Column, DataTable } from "../../components/data-table.tsx";
import { countText, numberText } from "../../components/numbers.ts";
import { Time } from "../../components/time.tsx";
import type { DeidReport } from "./documents.ts";
import { countsText, stayedBehindText } from "./words.ts";

/** What is done to an element, the strongest first. */
const ACTIONS = [
  ["removed", "removed"],
  ["emptied", "emptied"],
  ["pseudonym", "replaced by the pseudonym"],
  ["uid", "given new UIDs"],
  ["replaced", "replaced"],
  ["shifted", "dates shifted"],
  ["cleaned", "cleaned"],
  ["added", "added"],
  ["kept", "kept"],
] as const;

/** What de-identification did to the study: tags and counts, never a value. */
export function StudyRemoved({ report }: { readonly report: DeidReport }) {
  const { counts, profile, verification } = report;
  const tiles = ACTIONS.flatMap(([action, words]) => {
    const count = report.actions[action] ?? 0;
    return count === 0 ? [] : [{ words, count }];
  });
  return (
    <>
      <p>
        {numberText(counts.deidentified)} of {countText(counts.instances, "instance")} de-identified{" "}
        <Time at={report.at} /> by the profile <strong>{profile.name}</strong>, version {profile.version};{" "}
        {numberText(counts.excluded)} left out, {numberText(counts.rejected)} kept back.
      </p>
      <p>{verificationText(verification)}</p>
      {tiles.length > 0 && (
        <dl class="count-row" aria-label="Elements, by what was done to them">
          {tiles.map(({ words, count }) => (
            <div key={words}>
              <dt>{words}</dt>
              <dd>{numberText(count)}</dd>
            </div>
          ))}
        </dl>
      )}
      {report.reasons.length > 0 && (
        <>
          <h3>Why instances stayed behind</h3>
          <ul>
            {report.reasons.map((each) => (
              <li key={`${each.code} ${each.reason}`}>{stayedBehindText(each)}</li>
            ))}
          </ul>
        </>
      )}
      <ElementTable report={report} />
    </>
  );
}

function verificationText({ hits, identifiers }: DeidReport["verification"]): string {
  const searched = `The outputs were searched for ${countText(identifiers, "identifier")} of their originals:`;
  return hits === 0
    ? `${searched} none was found.`
    : `${searched} ${countText(hits, "output")} had one and did not leave.`;
}

interface Row {
  readonly tag: string;
  readonly name: string;
  readonly text: string;
  /** Something of it is not as it was. */
  readonly isChanged: boolean;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: "Tag", cell: ({ tag }) => <code class="unbroken">{tag}</code> },
  { title: "Attribute", cell: ({ name }) => <span class="breakable">{name || "–"}</span> },
  { title: "What was done to its elements", cell: ({ text }) => text },
];

const WORDS: ReadonlyMap<string, string> = new Map(ACTIONS);

/** What was changed first, then what was kept. */
function rowsOf(report: DeidReport): readonly Row[] {
  const unlisted = new Map(report.unlisted.map((each) => [each.tag, each]));
  const elements = report.elements.map(({ tag, keyword, actions }) => {
    const done = Object.entries(actions).map(
      ([action, count]) => `${WORDS.get(action) ?? action}: ${numberText(count)}`,
    );
    const note = unlisted.delete(tag) ? ["no table names it"] : [];
    const isChanged = Object.keys(actions).some((action) => action !== "kept");
    return { tag, name: keyword, text: [...done, ...note].join(", "), isChanged };
  });
  const removed = [
    ...[...unlisted.values()].map(({ tag, keyword, count }) => ({
      tag,
      name: keyword,
      count,
      why: ", no table names it",
    })),
    ...Object.entries(report.private).map(([tag, count]) => ({ tag, name: "private", count, why: "" })),
  ].map(({ count, why, ...row }) => ({ ...row, text: `removed: ${numberText(count)}${why}`, isChanged: true }));
  const rows = [...elements, ...removed];
  return [...rows.filter(({ isChanged }) => isChanged), ...rows.filter(({ isChanged }) => !isChanged)];
}

/** Every attribute, on demand. */
function ElementTable({ report }: { readonly report: DeidReport }) {
  const rows = rowsOf(report);
  return (
    <details>
      <summary>{countText(rows.length, "attribute")}, one by one</summary>
      <DataTable
        caption="Attributes and what was done to them"
        columns={COLUMNS}
        items={rows}
        keyOf={({ tag, text }) => `${tag} ${text}`}
      />
      {Object.keys(report.notes).length > 0 && <p class="quiet">Noted besides: {countsText(report.notes)}.</p>}
    </details>
  );
}
