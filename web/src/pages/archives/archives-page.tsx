import "./archives.css";
import { useEffect } from "preact/hooks";
import type { Archive } from "../../api/documents.ts";
import { lamps, useRefresh } from "../../api/live.ts";
import { useData, useThrottled } from "../../api/use-data.ts";
import { minuteClock } from "../../browser/clock.ts";
import { ErrorCard } from "../../components/error-card.tsx";
import { Page } from "../../components/page.tsx";
import { ArchiveCard } from "./archive-card.tsx";

const LOOK_EVERY_MS = 1_000;

/** Every archive: whether it may be asked now and why not, how fast, and in which hours. */
export function ArchivesPage() {
  const { data, problem, isLoading, reload } = useData<{ readonly items: readonly Archive[] }>("/archives");
  const look = useThrottled(reload, LOOK_EVERY_MS);
  useRefresh(look);
  // A lamp that changed says that there is more to know; other settings may have come in meanwhile.
  const moment = minuteClock.value;
  const told = lamps.value;
  useEffect(look, [told, moment]);
  if (data === undefined)
    return (
      <Page title="Archives">
        {problem === undefined ? (
          <p class="quiet">{isLoading ? "Loading…" : ""}</p>
        ) : (
          <ErrorCard problem={problem} onRetry={reload} />
        )}
      </Page>
    );
  return (
    <Page title="Archives">
      {data.items.length === 0 && <p class="quiet">No archive is configured.</p>}
      <div class="archive-list">
        {data.items.map((archive) => (
          <ArchiveCard key={archive.name} archive={{ ...archive, ...told.get(archive.name) }} onChanged={reload} />
        ))}
      </div>
    </Page>
  );
}
