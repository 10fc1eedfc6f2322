import type { ApiDocument } from "../../api/documents.ts";
import { countText } from "../../components/numbers.ts";
import { Card } from "../../components/page.tsx";

type Reload = ApiDocument<"Reload">;

const KINDS = ["archives", "destinations", "projects"] as const;
const CHANGES = ["added", "changed", "removed"] as const;

/** What taking the settings in did. */
export function ReloadCard({ reloaded }: { readonly reloaded: Reload }) {
  const lines = KINDS.flatMap((kind) =>
    CHANGES.flatMap((change) => {
      const names = reloaded[kind][change];
      return names.length === 0 ? [] : [`${kind} ${change}: ${names.join(", ")}`];
    }),
  );
  const { others, needsRestart, orphaned } = reloaded;
  return (
    <Card title="Reloaded">
      <ul>
        {lines.length + others.length === 0 && <li>Everything in force is as it was.</li>}
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
        {others.length > 0 && <li>Also in force now: {others.join(", ")}</li>}
      </ul>
      {needsRestart.length > 0 && (
        <p class="notice notice-warn">
          Changed in the file, and in force after a restart only: {needsRestart.join(", ")}
        </p>
      )}
      {orphaned.map(({ project, jobs }) => (
        <p class="notice notice-warn" key={project}>
          {countText(jobs, "study", "studies")} of {project} wait until the project is there again, or they are
          cancelled.
        </p>
      ))}
    </Card>
  );
}
