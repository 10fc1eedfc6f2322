import type { ArchiveLamp } from "../../api/live.ts";
import { lamps } from "../../api/live.ts";
import { LampBadge } from "../../components/badge.tsx";
import { Card } from "../../components/page.tsx";
import { Time } from "../../components/time.tsx";
import { Link } from "../../routing/router.tsx";

/** Each archive: whether it is asked now, and when that changes. */
export function ArchiveLamps() {
  const archives = [...lamps.value.values()].sort((one, other) => one.name.localeCompare(other.name));
  return (
    <Card title="Archives">
      {archives.length === 0 && <p class="empty">No archive is configured.</p>}
      <ul class="rows">
        {archives.map((lamp) => (
          <li key={lamp.name} class="row-line">
            <span>
              <Link to="/archives">{lamp.name}</Link> <Next lamp={lamp} />
            </span>
            <LampBadge state={lamp.state} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Next({ lamp: { state, code, until, opensAt, closesAt } }: { readonly lamp: ArchiveLamp }) {
  if (state === "resting")
    return (
      <span class="quiet">
        <code>{code}</code>, asked again <Time at={until} />
      </span>
    );
  if (state === "paused") return <span class="quiet">until somebody resumes it</span>;
  if (state === "closed" && opensAt !== undefined)
    return (
      <span class="quiet">
        opens <Time at={opensAt} />
      </span>
    );
  if (closesAt !== undefined)
    return (
      <span class="quiet">
        closes <Time at={closesAt} />
      </span>
    );
  return <span class="quiet">at all hours</span>;
}
