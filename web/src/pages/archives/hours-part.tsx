import { useState } from "preact/hooks";
import { ask } from "../../api/client.ts";
import type { Archive } from "../../api/documents.ts";
import { Button } from "../../components/button.tsx";
import { say } from "../../components/toasts.tsx";
import { type ArchiveProps, archivePath, mayControl } from "./archive-card.tsx";
import { type Week, weekOf, windowsOf } from "./week.ts";
import { WeekEditor, WeekPicture } from "./week-grid.tsx";

const NIGHTS = ["Mon-Fri 20:00-08:00", "Sat-Sun 00:00-24:00"];

/** In which hours it may be asked. */
export function HoursPart({ archive, onChanged }: ArchiveProps) {
  const [draft, setDraft] = useState<Week>();
  const { name, windows, timeZone, changed } = archive;
  if (draft !== undefined)
    return <HoursEditor archive={archive} draft={draft} setDraft={setDraft} onChanged={onChanged} />;
  const text = windows === undefined ? "always" : windows.join(", ");
  return (
    <div class="rate-field">
      <WeekPicture week={weekOf(windows)} label={`Open hours of ${name}: ${text}`} />
      <p class="quiet week-note">
        {windows === undefined ? "Always open" : text}, {zoneText(timeZone)}
        {changed.includes("windows") && " (changed here, not as the settings say)"}
      </p>
      {mayControl() && (
        <div class="actions">
          <Button label={`Change the hours of ${name}`} onClick={() => setDraft(weekOf(windows))}>
            Hours…
          </Button>
        </div>
      )}
    </div>
  );
}

interface HoursEditorProps extends ArchiveProps {
  readonly draft: Week;
  readonly setDraft: (week: Week | undefined) => void;
}

function HoursEditor({ archive, draft, setDraft, onChanged }: HoursEditorProps) {
  const { name, timeZone } = archive;
  const windows = windowsOf(draft);
  const save = async (wanted: readonly string[] | "always" | "configured"): Promise<void> => {
    await ask<Archive>(archivePath(archive), { method: "PATCH", body: { windows: wanted } });
    say(`The hours of ${name} hold from now on.`);
    setDraft(undefined);
    onChanged();
  };
  return (
    <div class="rate-field">
      <WeekEditor week={draft} onChange={setDraft} label={`Open hours of ${name}, to be changed`} />
      <p class="week-note" role="status">
        {windows === "always"
          ? "Always open"
          : windows.length === 0
            ? "Never open: pause it instead"
            : windows.join(", ")}
        , {zoneText(timeZone)}
      </p>
      <p class="quiet week-note">
        Click or draw to open and close hours. With the keyboard: arrows move, Space changes an hour, Shift and an arrow
        carries it on; a day's name changes the day.
      </p>
      <div class="actions">
        <Button
          kind="primary"
          isDisabled={windows.length === 0}
          label={`Keep these hours of ${name}`}
          onClick={() => save(windows)}
        >
          Keep
        </Button>
        <Button onClick={() => setDraft(weekOf(NIGHTS))}>Nights and weekends</Button>
        <Button onClick={() => setDraft(weekOf(undefined))}>Always</Button>
        <Button onClick={() => save("configured")}>As the settings say</Button>
        <Button onClick={() => setDraft(undefined)}>Go back</Button>
      </div>
    </div>
  );
}

function zoneText(timeZone: string | undefined): string {
  return timeZone === undefined ? "by the gateway's clock" : `by the clock of ${timeZone}`;
}
